import { request, type Agent, type RequestOptions } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import { issueAuthority, issueLeaf } from "../../src/tls/issue.ts";
import type { CertificateSource, ServingCertificate } from "../../src/tls/source.ts";

const DAY = 86_400_000;

/** A source for 127.0.0.1 whose certificate the test renews, under the same authority. */
export async function makeSource(): Promise<CertificateSource & { renew(): Promise<void> }> {
  const from = Date.now();
  const lifetime = { from, to: from + DAY };
  const authority = await issueAuthority(lifetime);
  const issue = async (): Promise<ServingCertificate> => {
    const leaf = await issueLeaf(authority, ["127.0.0.1"], lifetime);
    return { ...leaf, caBundle: authority.cert, notAfter: lifetime.to };
  };
  const listeners: (() => void)[] = [];
  let current = await issue();
  return {
    current: () => current,
    onChange: (listener) => void listeners.push(listener),
    async renew() {
      current = await issue();
      for (const listener of listeners) listener();
    },
  };
}

/** What came back over HTTPS. */
export interface Reply {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends one HTTPS request to 127.0.0.1 and reads the whole answer; a POST of JSON when there is a body. */
export async function send(
  options: RequestOptions & { readonly agent?: Agent },
  body?: string | Buffer,
): Promise<Reply> {
  const sent = request({
    host: "127.0.0.1",
    method: body === undefined ? "GET" : "POST",
    ...options,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(options.headers as Record<string, string> | undefined),
    },
  });
  return new Promise((resolve, reject) => {
    sent.once("error", reject);
    sent.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ code: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    sent.end(body);
  });
}

/** The JSON of an AdmissionReview for a pod called `uid`. */
export function makeReview(uid: string, request_: object = {}): string {
  return JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid,
      kind: { group: "", version: "v1", kind: "Pod" },
      operation: "CREATE",
      userInfo: { username: "alice" },
      namespace: "default",
      object: { metadata: { name: uid } },
      ...request_,
    },
  });
}
