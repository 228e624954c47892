import { expect, test } from "vitest";
import { makeBuildRequest } from "../../test/make/build.ts";
import type { Job } from "../api/kube-types.ts";
import { directBuilder } from "./direct.ts";
import { kanikoBuilder } from "./kaniko.ts";

const ENGINES = [
  ["kaniko", kanikoBuilder],
  ["direct", directBuilder],
] as const;

test.each(ENGINES)("every container of %s has the file with the certificates", (_, builder) => {
  const request = makeBuildRequest((draft) => {
    draft.settings = { ...draft.settings, registryCertificates: "PEM" };
  });
  const plan = builder.plan(request);
  const job = plan.state === "ready" ? (plan.objects.at(-1) as Job) : undefined;
  const { metadata, spec } = job?.spec?.template ?? {};
  expect(Object.values(metadata?.annotations ?? {})).toEqual(["PEM"]);
  expect(spec?.volumes?.map(({ name }) => name)).toContain("registry-certificates");
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const without = containers.filter(
    ({ volumeMounts = [] }) => !volumeMounts.some(({ name }) => name === "registry-certificates"),
  );
  expect(containers.length).toBeGreaterThan(0);
  expect(without.map(({ name }) => name)).toEqual([]);
});
