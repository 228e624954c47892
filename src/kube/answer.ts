import type { Dispatcher } from "undici";
import { TimeoutReached } from "./deadline.ts";
import { ApiError, ConnectionError, statusError } from "./errors.ts";

/** Decodes a whole answer; throws ApiError for a status other than 2xx, ConnectionError when it is not JSON. */
export async function readAnswer(
  request: string,
  response: Dispatcher.ResponseData,
): Promise<unknown> {
  const text = await response.body.text();
  if (response.statusCode < 200 || response.statusCode > 299) {
    throw refusal(request, response, text);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConnectionError(request, "the answer is not JSON", { cause });
  }
}

/** What a failed request throws: the refusal itself, the caller's reason to abort, or a ConnectionError. */
export function explainFailure(request: string, error: unknown, signal: AbortSignal): unknown {
  // A TypeError is a bug of the caller, such as a body that is no JSON.
  const passes = [ApiError, ConnectionError, TypeError];
  if (passes.some((kind) => error instanceof kind)) return error;
  if (signal.aborted) {
    const reason: unknown = signal.reason;
    return reason instanceof TimeoutReached
      ? new ConnectionError(request, reason.message, { cause: reason })
      : reason;
  }
  const { code, message } = error as { code?: string; message: string };
  // Node reports the attempts on several addresses as one error that has a code and no message.
  return new ConnectionError(request, message === "" ? String(code) : message, { cause: error });
}

function refusal(request: string, response: Dispatcher.ResponseData, text: string): ApiError {
  const seconds = Number(response.headers["retry-after"] ?? Number.NaN);
  let status: unknown;
  try {
    status = JSON.parse(text);
  } catch {
    // A gateway on the way answered; its first words are the best explanation there is.
    status = { message: text.slice(0, 200) };
  }
  return statusError(status, {
    status: response.statusCode,
    request,
    ...(Number.isFinite(seconds) ? { retryAfterMs: seconds * 1000 } : {}),
  });
}
