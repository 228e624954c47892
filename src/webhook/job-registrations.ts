import { ANNOTATIONS } from "../api/annotations.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import {
  OWN_WORDS,
  forEachKind,
  holdsAt,
  isObjectAt,
  tooMany,
  type Question,
} from "./conditions.ts";
import type { HintRegistration } from "./hint-registrations.ts";

const OWN = "object.?metadata.?annotations.orValue({})";

/** The template of pods asks for an export; of lists and maps of more values than any job has, that is not looked for. */
const EXPORTS: Question = { leaf: `'${ANNOTATIONS.export}' in a`, most: 64, beyond: true };

/** Any job says something in our words, a misspelt one too, or exports in KubeDL's. */
const SPEAKS = [tooMany(OWN), `${OWN}.exists(k, ${OWN_WORDS})`, isObjectAt("spec.modelVersion")];

/** The mutating webhook for the creation of jobs of these kinds: those that export get a finalizer, and their pods the annotation. */
export function jobRegistration(name: string, kinds: readonly JobKind[]): HintRegistration {
  return {
    name,
    rules: kinds.map(({ group, version, plural }) => ({ group, version, resources: [plural] })),
    conditions: forEachKind(kinds, ({ places }) => [
      ...SPEAKS,
      ...places.map(({ path, makes }) => {
        const pods = makes === "pods" ? path : `${path}.spec.template`;
        return holdsAt(`${pods}.metadata.annotations`, EXPORTS);
      }),
    ]),
  };
}
