import { describe, expect, test } from "vitest";
import { failed } from "./failure.ts";

describe("the message of a failure", () => {
  test.each([
    ["Authorization: Bearer abc.def-ghi=", "Authorization: Bearer ***"],
    ["authorization: basic YnVpbGRlcjpzZWNyZXQ=", "authorization: basic ***"],
    ["GET https://builder:hunter2@h/v2/", "GET https://builder:***@h/v2/"],
    ['{"auths":{"h":{"auth":"YnVpbGRlcjpzZWNyZXQ="}}}', '{"auths":{"h":{"auth":"***"}}}'],
    ['"identitytoken": "abc", "x": 1', '"identitytoken": "***", "x": 1'],
    ["https://h/blob?X-Amz-Signature=abc&x=1", "https://h/blob?X-Amz-Signature=***&x=1"],
    ["password=hunter2 user=ann", "password=*** user=ann"],
    ["token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln is no good", "token *** is no good"],
  ])("that holds %j shows %j", (text, masked) => {
    expect(failed("Unknown", text).message).toBe(masked);
  });

  test.each([
    "UNAUTHORIZED: authentication required; [map[Action:pull Class: Name:m Type:repository]]",
    "dial tcp 10.0.0.5:5000: connect: connection refused",
    "MANIFEST_UNKNOWN: manifest unknown; unknown tag=1",
    "h/m@sha256:0123456789abcdef",
    "basic checks passed",
  ])("shows %j as it is", (text) => {
    expect(failed("Unknown", text).message).toBe(text);
  });
});
