import type { JobKind, Sign, WriterRule } from "../src/jobs/job-kind.ts";
import { BARE_POD, JOB_KINDS } from "../src/jobs/kinds.ts";
import { apiVersionOf } from "../src/api/api-version.ts";

/** Rows of the table of job kinds, its head first: kind, API, which pod writes, and how its success and its failure show. */
export function jobKindRows(): readonly (readonly string[])[] {
  return [
    ["Kind", "API", "Writes", "Has succeeded", "Has failed"],
    ...[...JOB_KINDS, BARE_POD].map((row) => [
      row === BARE_POD ? "Pod without a controller" : row.kind,
      `\`${apiVersionOf(row)}\``,
      row === BARE_POD ? "itself" : writes(row.writer),
      row.outcome.succeeded.map(textOf).join(" and "),
      failureOf(row),
    ]),
  ];
}

function writes(writer: WriterRule): string {
  switch (writer.by) {
    case "index":
      return "completion index 0, or its only pod";
    case "labels":
      return `the ${writer.name}`;
    case "replica-type":
      return writer.types.length === 1
        ? `${writer.types.join("")} 0`
        : `index 0 of ${alternatives(writer.types)}, the first that it has`;
    case "item":
      return `index 0 of the part named ${alternatives(writer.names)}, else of the first`;
  }
}

/** What also shows with a success counts only without the rest of it. */
function failureOf({ outcome }: JobKind): string {
  return outcome.failed.map(textOf).join(", or ");
}

function textOf(sign: Sign): string {
  return "condition" in sign
    ? `condition \`${sign.condition}\``
    : `\`${sign.path}\` ${alternatives(sign.values)}`;
}

function alternatives(values: readonly string[]): string {
  return values.length < 2
    ? values.join("")
    : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
}
