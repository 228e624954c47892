import { ANNOTATIONS } from "../api/annotations.ts";
import { isFields, own } from "../api/fields.ts";
import { fieldAt } from "./field.ts";
import type { OwningJob } from "./owner.ts";
import { podTemplatesOf } from "./templates.ts";

/** The export that a job's templates say, or what it passes on where it has none; undefined where only a binding selects its pods. */
export function writtenExport({ job, kind }: OwningJob): string | undefined {
  const texts = podTemplatesOf(job, kind).map(
    ({ annotations }) => annotations?.[ANNOTATIONS.export],
  );
  const passed = kind.passesOn === undefined ? undefined : fieldAt(job, kind.passesOn);
  const text = isFields(passed) ? own(passed, ANNOTATIONS.export) : undefined;
  return [...texts, typeof text === "string" ? text : undefined].find((each) => each !== undefined);
}
