import { isFields } from "../api/fields.ts";

/** The API server's refusal: a metav1.Status, or what another server on the way answered instead. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status code; for an error inside a watch stream the code of its Status. */
  readonly status: number;
  /** The Status' reason, such as `NotFound`; empty when the answer was no Status. */
  readonly reason: string;
  /** The Status' details, such as the causes of an invalid object. */
  readonly details: StatusDetails;
  /** Method and path of the request that was refused. */
  readonly request: string;
  /** How long the server asks to be left alone, ms. */
  readonly retryAfterMs?: number;

  constructor(fields: {
    readonly status: number;
    readonly reason: string;
    readonly message: string;
    readonly details: StatusDetails;
    readonly request: string;
    readonly retryAfterMs?: number;
  }) {
    super(fields.message);
    this.status = fields.status;
    this.reason = fields.reason;
    this.details = fields.details;
    this.request = fields.request;
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs;
  }
}

/** No whole answer came: connection refused, reset or silent, or not JSON. Whether a write took effect is unknown. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  /** Method and path of the request that got no answer. */
  readonly request: string;

  constructor(request: string, message: string, options?: { readonly cause?: unknown }) {
    super(`${request}: ${message}`, options);
    this.request = request;
  }
}

/** The part of metav1.StatusDetails that callers read. */
export interface StatusDetails {
  readonly name?: string;
  readonly kind?: string;
  readonly causes?: readonly {
    readonly reason?: string;
    readonly message?: string;
    readonly field?: string;
  }[];
  readonly retryAfterSeconds?: number;
}

/** The object does not exist, or the kind does not. */
export function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 404;
}

/** What is read; undefined where it, or its kind, does not exist. */
export async function unlessAbsent<T>(reading: () => Promise<T>): Promise<T | undefined> {
  try {
    return await reading();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The object changed since it was read, or a precondition of a delete did not hold. */
export function isConflict(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 409 && error.reason === "Conflict";
}

/** A create met an object of that name. */
export function isAlreadyExists(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 409 && error.reason === "AlreadyExists";
}

/** The resource version or continue token is older than what the server still knows: list again. */
export function isGone(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 410;
}

/** RBAC, an admission plugin or a quota refuses. */
export function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 403;
}

/** Schema, CEL rule or immutable field: the same object is refused again. */
export function isInvalid(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 422;
}

/** A `test` of a JSON Patch did not hold: what is refused for another reason has causes. */
export function isFailedTest(error: unknown): error is ApiError {
  return isInvalid(error) && (error.details.causes ?? []).length === 0;
}

/** The server sheds load; `retryAfterMs` says for how long. */
export function isTooManyRequests(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 429;
}

/** The same request may succeed later without anybody changing anything. */
export function isTransient(error: unknown): boolean {
  return (
    error instanceof ConnectionError ||
    isTooManyRequests(error) ||
    (error instanceof ApiError && error.status >= 500)
  );
}

/** Makes the error of a Status; `fallback` fills what an answer that is no Status leaves out. */
export function statusError(
  status: unknown,
  fallback: { readonly status: number; readonly request: string; readonly retryAfterMs?: number },
): ApiError {
  const given = (isFields(status) ? status : {}) as {
    code?: unknown;
    reason?: unknown;
    message?: unknown;
    details?: unknown;
  };
  const code = typeof given.code === "number" ? given.code : fallback.status;
  const details: StatusDetails = isFields(given.details) ? given.details : {};
  const retryAfterMs =
    fallback.retryAfterMs ??
    (typeof details.retryAfterSeconds === "number" ? details.retryAfterSeconds * 1000 : undefined);
  return new ApiError({
    status: code,
    reason: typeof given.reason === "string" ? given.reason : "",
    message:
      typeof given.message === "string" && given.message !== ""
        ? given.message
        : `${fallback.request} was answered with status ${code}`,
    details,
    request: fallback.request,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
