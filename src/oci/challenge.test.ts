import { describe, expect, test } from "vitest";
import { parseChallenges } from "./challenge.ts";

describe("a WWW-Authenticate header", () => {
  test.each([
    ['Basic realm="reg"', [{ scheme: "basic", parameters: { realm: "reg" } }]],
    [
      'Bearer realm="https://auth.example/token?a=1,b",service="reg",scope="repository:a/b:pull,push"',
      [
        {
          scheme: "bearer",
          parameters: {
            realm: "https://auth.example/token?a=1,b",
            service: "reg",
            scope: "repository:a/b:pull,push",
          },
        },
      ],
    ],
    [
      'Basic realm="a", Bearer realm = "b" , service=c',
      [
        { scheme: "basic", parameters: { realm: "a" } },
        { scheme: "bearer", parameters: { realm: "b", service: "c" } },
      ],
    ],
    ['Bearer realm="say \\"hi\\""', [{ scheme: "bearer", parameters: { realm: 'say "hi"' } }]],
    ["Negotiate", [{ scheme: "negotiate", parameters: {} }]],
    ["", []],
    ['"broken', []],
  ])("%s is read", (header, challenges) => {
    expect(parseChallenges(header)).toEqual(challenges);
  });
});
