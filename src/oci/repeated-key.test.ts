import { describe, expect, test } from "vitest";
import { repeatedKey } from "./repeated-key.ts";

describe("a key is there twice", () => {
  test.each<[string, string, string]>([
    ["as written", '{"config":{"OnBuild":["RUN a"]},"config":{}}', "config"],
    ["in another case", '{"config":{},"os":"linux","CONFIG":{}}', "CONFIG"],
    ["with a character written as a number", String.raw`{"config":1,"\u0063onfig":2}`, "config"],
    ["in an object of a list", '[{"a":1},{"b":1,"c":[],"b":2}]', "b"],
    ["in a map of users", '{"Labels":{"a":"1","b":"2","a":"3"}}', "a"],
    ["beside strings that look like JSON", String.raw`{"a":"{\"b\":","c":"}","A":"]"}`, "A"],
    ["with space before its colon", '{"a" :1,\n"a"\t: 2}', "a"],
  ])("%s", (_, text, key) => {
    expect(repeatedKey(text)).toBe(key);
  });
});

describe("no key is there twice", () => {
  test.each<[string, string]>([
    ["in what has none", '["a","a",1,null]'],
    ["in objects that each have it", '{"a":{"a":{"b":1}},"b":[{"a":1},{"a":1}]}'],
    ["in a map of users who mind the case", '{"config":{"Labels":{"Name":"1","name":"2"}}}'],
    ["where a value looks like one", String.raw`{"a":"a","b":"\"a\":1,","c":"a"}`],
    ["where a value ends with a backslash", String.raw`{"a":"\\","b":"a"}`],
  ])("%s", (_, text) => {
    expect(repeatedKey(text)).toBeUndefined();
  });
});
