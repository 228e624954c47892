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

/** Field names whose values never reach the log, wherever in the first levels they stand. */
const SECRET_FIELDS = new Set([
  "authorization",
  "Authorization",
  "token",
  "identitytoken",
  "password",
  "privateKey",
  "data",
  "stringData",
]);

/** Levels of nested objects that are looked through; what lies deeper is nothing that our code logs. */
const DEPTH = 4;

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
      serializers: { err: (err: Error) => redact(pino.stdSerializers.errWithCause(err), DEPTH) },
      formatters: {
        level: (label) => ({ level: label }),
        // pino's own redaction by wildcards costs 20 us a line; most of our lines hold scalars only.
        log: (fields) => redact(fields, DEPTH),
      },
    },
    options.destination ?? pino.destination(1),
  );
}

function redact<T>(value: T, depth: number): T {
  if (typeof value !== "object" || value === null || value instanceof Error || depth === 0) {
    return value;
  }
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    copy[key] = SECRET_FIELDS.has(key) ? "[redacted]" : redact(inner, depth - 1);
  }
  return (Array.isArray(value) ? Object.values(copy) : copy) as T;
}
