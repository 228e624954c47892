/**
 * Why a registry could not be used: it gave no useful answer (`unreachable`, worth another try), it refused (`denied`), it
 * lacks what was asked for (`missing`), or what it holds is broken or unknown to us (`invalid`).
 */
export type RegistryFault = "unreachable" | "denied" | "missing" | "invalid";

/** A registry that could not be used; the message names the host and what was asked. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly fault: RegistryFault;
  /** Milliseconds after which the registry wants to be asked again; absent when it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(
    fault: RegistryFault,
    message: string,
    options?: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined },
  ) {
    super(message, options);
    this.fault = fault;
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** The wait that a `Retry-After` header in seconds asks for, in milliseconds; undefined for none, and for a date. */
export function retryAfterMs(header: string | string[] | undefined): number | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;
}

/** The fault behind an answer's status code (distribution specification; 404 and 405 to a push mean "not here"). */
export function faultOfStatus(status: number): RegistryFault {
  if (status === 408 || status === 429 || status >= 500) return "unreachable";
  if (status === 401 || status === 403 || status === 405) return "denied";
  return status === 404 ? "missing" : "invalid";
}

/** The registry's own words in the body of a refusal, `CODE: message`; a short start of the body when it is no such JSON. */
export function errorText(body: string): string {
  try {
    const { errors } = JSON.parse(body) as {
      errors?: readonly { code?: unknown; message?: unknown }[];
    };
    const texts = (errors ?? []).map(({ code, message }) => `${String(code)}: ${String(message)}`);
    if (texts.length > 0) return texts.join("; ");
  } catch {
    // Proxies answer in HTML.
  }
  return body.slice(0, 200);
}
