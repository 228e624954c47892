import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Container, Pod } from "../../src/api/kube-types.ts";
import { awkwardModel } from "./delivery/awkward-model.ts";
import {
  LISTING,
  directory,
  file,
  listingOf,
  symbolicLink,
  writeEntries,
} from "./delivery/entries.ts";
import {
  RESTRICTED,
  printedBy,
  scriptContainer,
  scriptPod,
  secondsToReady,
  whenSucceeded,
  type ScriptPod,
} from "./delivery/pods.ts";
import { holdLoader } from "./faults/loaders.ts";
import { modelVersion, onHost } from "./faults/models.ts";
import {
  apply,
  enforce,
  eventually,
  joinNode,
  kubectl,
  makeNamespace,
  modelImagesOf,
  read,
  whenBuilt,
  type TestNode,
} from "./node.ts";

const NAMESPACE = "delivery";
const DELIVERIES = ["copy", "image-volume"] as const;
const TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount";

const LIST = `${LISTING}
listing "$KUBEDL_MODEL_PATH"`;

/** Lists the model, runs a script that it holds, and tries to change what everybody may change by its modes. */
const LOOK = `${LIST}
cd "$KUBEDL_MODEL_PATH"
./run.sh
try() { if "$@" 2>/dev/null; then echo "possible: $*"; fi; }
try touch new
try mkdir of-everybody/new
try rm of-everybody/log
try mv of-everybody/log of-everybody/old
try ln -s log of-everybody/link
try chmod 600 of-everybody/log
try sh -c "echo more >>of-everybody/log"
touch of-everybody/new 2>&1 || true`;

const USERS = {
  root: {},
  "user 1000": { pod: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000 } },
  "user 1000 with an fsGroup and a read-only root": {
    pod: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 },
    container: { securityContext: { readOnlyRootFilesystem: true } },
  },
} satisfies Record<string, Partial<ScriptPod>>;

const SMALL = [
  directory("."),
  file("weights.bin", "weights"),
  directory("nested"),
  symbolicLink("nested/latest", "../weights.bin"),
];

describe("a model", () => {
  const awkward = awkwardModel();
  const looked = `${listingOf(awkward)}runs\ntouch: of-everybody/new: Read-only file system\n`;
  let node: TestNode;
  let namespace: AsyncDisposable;
  let image: string;
  let smallImage: string;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "baseline");
    const models = [
      { name: "awkward", entries: awkward, builder: {} },
      { name: "small", entries: SMALL, builder: { baseImage: "scratch" } },
    ];
    for (const { name, entries, builder } of models) {
      const path = `/models/${NAMESPACE}/${name}`;
      await writeEntries(await onHost(node, path), entries);
      const version = modelVersion(node, name, path) as { readonly spec: object };
      await apply(node, NAMESPACE, { ...version, spec: { ...version.spec, builder } });
    }
    [image, smallImage] = [await imageOf("awkward"), await imageOf("small")];
  });
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  describe.each(DELIVERIES)("by %s, at level baseline", (delivery) => {
    test.concurrent.for(Object.entries(USERS))(
      "is whole, runs and can not be changed for %s",
      async ([user, made]) => {
        const name = `${delivery}-${user.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
        await start({ ...made, name, wants: { delivery }, script: LOOK });
        expect(await printed(name)).toBe(looked);
      },
    );
  });

  describe("at level restricted", () => {
    beforeAll(async () => enforce(node, NAMESPACE, "restricted"));

    test.concurrent.for([
      ["copy", "copy"],
      ["image-volume", "image-volume"],
      ["auto", "image-volume"],
    ])(
      "is whole, runs and can not be changed by %s (here: %s)",
      async ([delivery = "", way = ""]) => {
        await start({ ...RESTRICTED, name: delivery, wants: { delivery }, script: LOOK });
        expect(await printed(delivery)).toBe(looked);
        expect(await modelsOf(delivery)).toEqual([`${way} ${image}`]);
      },
    );

    test.concurrent.for(DELIVERIES)(
      "by %s is in all containers, and in init containers and sidecars that come later",
      async (delivery) => {
        const name = `everywhere-${delivery}`;
        const container = (each: string, script = LIST, more: Partial<Container> = {}): Container =>
          scriptContainer(node, each, script, { ...RESTRICTED.container, ...more });
        const sidecar = container("sidecar", `${LIST}\ntouch /tmp/done\nexec sleep 3600`, {
          restartPolicy: "Always",
          startupProbe: {
            exec: { command: ["test", "-e", "/tmp/done"] },
            periodSeconds: 1,
            failureThreshold: 60,
          },
        });
        const initContainers = [container("later"), sidecar];
        const containers = [container("server"), container("other")];
        const spec = { initContainers, containers };
        const wants = { "model-version": "small", delivery };
        await start({ ...RESTRICTED, name, wants, script: LIST, spec });
        for (const each of ["later", "sidecar", "server", "other"])
          expect([each, await printed(name, each)]).toEqual([each, listingOf(SMALL)]);
      },
    );

    test.concurrent.for(DELIVERIES)("by %s is only in the containers named", async (delivery) => {
      const name = `named-${delivery}`;
      const look = 'echo "path: ${KUBEDL_MODEL_PATH-none}"; ls -d /kubedl-model 2>&1 || true';
      const containers = [
        scriptContainer(node, "other", look, RESTRICTED.container),
        scriptContainer(node, "server", LIST, RESTRICTED.container),
      ];
      const wants = { "model-version": "small", delivery, containers: "server" };
      await start({ ...RESTRICTED, name, wants, script: LIST, spec: { containers } });
      expect(await printed(name)).toBe(listingOf(SMALL));
      expect(await printed(name, "other")).toBe(
        "path: none\nls: /kubedl-model: No such file or directory\n",
      );
    });

    test.concurrent.for(DELIVERIES)("by %s has another beside it", async (delivery) => {
      const name = `two-${delivery}`;
      const models = [
        { modelVersion: "awkward", mountPath: "/models/one" },
        { modelVersion: "small", mountPath: "/models/two" },
      ];
      const paths = '$(echo "$KUBEDL_MODEL_PATHS" | tr : " ")';
      const script = `${LISTING}\nfor path in ${paths}; do listing "$path"; done`;
      await start({
        ...RESTRICTED,
        name,
        wants: { delivery, models: JSON.stringify(models) },
        script,
      });
      expect(await printed(name)).toBe(listingOf(awkward) + listingOf(SMALL));
    });

    test.concurrent.for([
      ["auto", () => [`image-volume ${smallImage}`]],
      ["copy", () => [`copy ${node.images.busybox}`, `image-volume ${smallImage}`]],
    ] as const)("whose image has no shell is whole by %s", async ([delivery, models]) => {
      const name = `no-shell-${delivery}`;
      const wants = { "model-version": "small", delivery };
      await start({ ...RESTRICTED, name, wants, script: LIST });
      expect(await printed(name)).toBe(listingOf(SMALL));
      expect(await modelsOf(name)).toEqual(models());
    });

    test.concurrent("is copied without the pod's API token at hand", async () => {
      const made = { ...RESTRICTED, name: "token", wants: { delivery: "copy" } };
      await start({ ...made, script: `ls ${TOKENS}` });
      const loader = await holdLoader(node, NAMESPACE, "token", "shards");
      const inLoader = ["exec", "token", "--container=kubedl-model-loader", "--"];
      const seen = await kubectl(node, NAMESPACE, ...inLoader, "ls", "-A", TOKENS);
      loader.resume();
      expect(seen).toBe("");
      expect(await printed("token")).toBe("ca.crt\nnamespace\ntoken\n");
    });

    test.concurrent("is copied beside containers that may store less than it is", async () => {
      const limits = { "ephemeral-storage": "1Mi" };
      const container = { ...RESTRICTED.container, resources: { limits } };
      const wants = { delivery: "copy" };
      await start({ ...RESTRICTED, name: "little", wants, container, script: "sleep 3600" });
      await kubectl(
        node,
        NAMESPACE,
        "wait",
        "--for=condition=Ready",
        "pod/little",
        "--timeout=90s",
      );
      // What the kubelet does to a pod that stores too much, and how long it takes to see that.
      const script = "head -c 5000000 /dev/zero >/tmp/much; sleep 3600";
      const greedy = { ...RESTRICTED, name: "greedy", wants: { inject: "false" } };
      await apply(node, NAMESPACE, scriptPod(node, { ...greedy, container, script }));
      await eventually("the eviction", async () => {
        const pod = await read<Pod>(node, NAMESPACE, "pod", "greedy");
        return pod?.status?.reason === "Evicted";
      });
      const pod = await read<Pod>(node, NAMESPACE, "pod", "little");
      expect(pod?.status).toMatchObject({ phase: "Running", containerStatuses: [{ ready: true }] });
    });

    test("is there after a time that is printed here", async () => {
      for (const delivery of DELIVERIES) {
        const name = `timed-${delivery}`;
        const wants = { "model-version": "awkward", delivery };
        const made = { ...RESTRICTED, name, wants, script: "sleep 3600" };
        const seconds = await secondsToReady(node, NAMESPACE, made);
        expect(await modelsOf(name)).toEqual([`${delivery} ${image}`]);
        process.stdout.write(`10,000 files by ${delivery}: ready after ${seconds.toFixed(1)} s\n`);
      }
    });
  });

  async function imageOf(name: string): Promise<string> {
    const { spec, status } = await whenBuilt(node, NAMESPACE, name);
    return `${spec.imageRepo}@${status?.digest}`;
  }

  /** Starts a pod that wants the awkward model, or what it says itself. */
  async function start(made: ScriptPod): Promise<void> {
    const wants = "models" in made.wants ? {} : { "model-version": "awkward" };
    await apply(node, NAMESPACE, scriptPod(node, { ...made, wants: { ...wants, ...made.wants } }));
  }

  async function printed(name: string, container?: string): Promise<string> {
    await whenSucceeded(node, NAMESPACE, name);
    return printedBy(node, NAMESPACE, name, container);
  }

  async function modelsOf(name: string): Promise<readonly string[]> {
    const pod = await read<Pod>(node, NAMESPACE, "pod", name);
    return pod === undefined ? [] : modelImagesOf(pod);
  }
});
