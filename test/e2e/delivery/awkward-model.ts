import { randomBytes } from "node:crypto";
import { directory, file, hardLink, symbolicLink, type Entry } from "./entries.ts";

const SHARDS = 10_000;
const LONGEST_NAME = "n".repeat(255);

const NAMES = [
  "-n",
  "...",
  " before and after ",
  `"double" 'single' \`back\``,
  "back\\slash \\n",
  "$HOME $(id) ${PATH}",
  "[glob]*?",
  "#100%25 & more; | < >",
  "name:with,commas=and+signs@host!",
  "tab\tbell\u0007delete\u007f",
  "Größe – ü",
  "u\u0308 of two characters",
  "模型 🦊",
];

/** A model with whatever a training may leave in its directory. */
export function awkwardModel(): readonly Entry[] {
  const weights = file("weights.bin", randomBytes(5_000_000));
  return [
    directory(".", 0o1775, 0o775),
    weights,
    hardLink("hard-link", weights),
    file("zero-length", ""),
    file(".hidden", "hidden"),
    file(".dockerignore", "*"),
    file("Dockerfile", "FROM scratch"),
    directory(".git"),
    file(".git/config", "config"),
    directory("nested"),
    directory("nested/deep"),
    file("nested/deep/data-00000-of-00001", "data"),
    directory("empty"),
    directory("empty/below"),
    ...links(),
    ...modes(),
    ...NAMES.map((name) => file(name, name)),
    file(Buffer.from("caf\u00e9", "latin1"), "a name that is not UTF-8"),
    directory(LONGEST_NAME),
    file(`${LONGEST_NAME}/${LONGEST_NAME}`, "long"),
    ...shards(),
  ];
}

function links(): readonly Entry[] {
  return [
    symbolicLink("latest", "weights.bin"),
    symbolicLink("chain", "latest"),
    symbolicLink("chain-of-chain", "chain"),
    symbolicLink("dangling", "nowhere"),
    symbolicLink("absolute", "/kubedl-model/weights.bin"),
    symbolicLink("out", "../../../etc/passwd"),
    symbolicLink("to-directory", "nested/deep"),
    symbolicLink("nested/deep/up", "../../weights.bin"),
  ];
}

/** Everybody may read what arrives, nobody becomes another user by it. */
function modes(): readonly Entry[] {
  return [
    directory("read-only", 0o555),
    file("read-only/inside", "inside", 0o444),
    directory("read-only/below", 0o555),
    file("read-only/below/inside", "inside"),
    directory("shut", 0o700, 0o755),
    file("shut/private", "private", 0o600, 0o644),
    file("no-mode", "no mode", 0o000, 0o444),
    directory("setgid", 0o2775, 0o775),
    file("setgid/of-a-group", "group", 0o664),
    directory("of-everybody", 0o777),
    file("of-everybody/log", "log", 0o666),
    file("run.sh", "#!/bin/sh\necho runs\n", 0o755),
    file("setuid", "#!/bin/sh\n", 0o4700, 0o744),
  ];
}

/** Two to a directory: a copy of them is mostly blocks that hold next to nothing. */
function shards(): readonly Entry[] {
  const entries: Entry[] = [directory("shards")];
  for (let number = 0; number < SHARDS; number += 2) {
    const path = `shards/${String(number).padStart(4, "0")}`;
    entries.push(directory(path), file(`${path}/even`, String(number)));
    entries.push(file(`${path}/odd`, String(number + 1)));
  }
  return entries;
}
