import { pino, type DestinationStream } from "pino";

/** Takes fields first and a sentence second, as pino does; code that logs asks for this type and never for pino. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Least severe level that is written. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** Field names whose values never reach the log, wherever in the first three levels they stand. */
const SECRET_FIELDS = [
  "authorization",
  "Authorization",
  "token",
  "identitytoken",
  "password",
  "privateKey",
  "data",
  "stringData",
];

/**
 * Writes one JSON line per message: `level` as a word, `time` in RFC 3339, `err` with its causes.
 * The default destination is stdout, written synchronously so that a crash loses nothing.
 */
export function createLogger(options: {
  readonly level: LogLevel;
  readonly destination?: DestinationStream;
}): Logger {
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // A cause stands by itself; the default serializer glues all messages into one.
      serializers: { err: pino.stdSerializers.errWithCause },
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: "[redacted]",
      },
    },
    options.destination ?? pino.destination(1),
  );
}
