import type { KubeObject } from "../../src/api/kube-types.ts";
import type { AdmissionRequest, GroupVersionKind } from "../../src/api/review.ts";
import { frozen, type Draft, type Tweak } from "./frozen.ts";

/** The user of `makeRequest`. */
export const USER = "alice";

/** A request to create the object in namespace team-a. */
export function makeRequest(
  object: KubeObject,
  tweak: Tweak<Draft<AdmissionRequest>> = () => {},
): AdmissionRequest {
  return frozen<Draft<AdmissionRequest>>(
    {
      uid: "00000000-0000-0000-0000-000000000001",
      kind: kindOf(object),
      name: object.metadata?.name,
      namespace: "team-a",
      operation: "CREATE",
      userInfo: { username: USER, groups: ["system:authenticated"] },
      object,
    },
    tweak,
  );
}

/** A request by the same user to replace `oldObject`. */
export function makeUpdate(
  object: KubeObject,
  oldObject: KubeObject,
  tweak: Tweak<Draft<AdmissionRequest>> = () => {},
): AdmissionRequest {
  return makeRequest(object, (request) => {
    request.operation = "UPDATE";
    request.oldObject = oldObject;
    tweak(request);
  });
}

/** A request by the same user to delete the object. */
export function makeDeletion(
  oldObject: KubeObject,
  tweak: Tweak<Draft<AdmissionRequest>> = () => {},
): AdmissionRequest {
  return makeRequest(oldObject, (request) => {
    request.operation = "DELETE";
    request.object = null;
    request.oldObject = oldObject;
    tweak(request);
  });
}

function kindOf({ apiVersion = "v1", kind = "" }: KubeObject): GroupVersionKind {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  return { group: group ?? "", version: version ?? "", kind };
}
