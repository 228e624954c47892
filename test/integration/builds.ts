import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { BuildReport } from "../../src/api/build-report.ts";
import type { Pod } from "../../src/api/kube-types.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { endBuild, eventually, list, read } from "./kubelet.ts";

/** Waits for the pod of the version's next attempt, ends it, and waits until the version says so. */
export async function nextBuild(
  plane: ControlPlane,
  name: string,
  report: BuildReport,
  namespace = "default",
): Promise<void> {
  const version = async (): Promise<ModelVersion | undefined> =>
    read(plane, "modelversion", name, namespace);
  const uid = (await version())?.metadata.uid;
  const pod = await eventually(`the build pod of ${name}`, async () => {
    const pods = await list<Pod>(plane, "pods", `model.kubedl.io/modelversion-uid=${uid}`);
    return pods.find(({ status }) => status?.phase === "Pending");
  });
  await endBuild(plane, pod, report);
  const phase = report.state === "built" ? "ImageBuildSucceeded" : "ImageBuildFailed";
  await eventually(`${name} is ${phase}`, async () => {
    return (await version())?.status?.imageBuildPhase === phase;
  });
}

/** What a build pod says of an image; each name gives another digest. */
export function builtReport(name: string): BuildReport {
  const hex = Buffer.from(name).toString("hex").padEnd(64, "0").slice(0, 64);
  return { state: "built", image: { digest: `sha256:${hex}`, size: 1000, files: 3, layers: [] } };
}
