import { homedir } from "node:os";
import { join } from "node:path";

/** Everything that is named after one local cluster: where it keeps its files and what it makes on the host. */
export interface Place {
  readonly name: string;
  /** Pushed images; kept by `down`, so that the next cluster starts with them. */
  readonly registryData: string;
  /** Logs of the last run, one file per component; kept by `down`. */
  readonly logs: string;
  /** All else; removed by `down`. */
  readonly run: string;
  /** Host end of the only network link. */
  readonly link: string;
  /** Path of the cgroup of its pods, in every cgroup hierarchy. */
  readonly cgroup: string;
  /** First three bytes of the link's network, in which the host is .1 and the node .2. */
  readonly network: string;
}

/** Network of a cluster for which none is named. */
export const DEFAULT_NETWORK = "10.99.99";

/** Derives a cluster's place from its name; throws if name or network cannot be used. */
export function placeOf(name = "local", network = DEFAULT_NETWORK): Place {
  // 15 characters are what Linux allows for the name of a link.
  if (!/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/.test(name))
    throw new Error(
      `${JSON.stringify(name)} cannot name a cluster: use up to 12 lower-case letters, digits and dashes`,
    );
  if (
    !/^(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.test(network) ||
    network.split(".").some((n) => +n > 255)
  )
    throw new Error(
      `${JSON.stringify(network)} is no network: use three numbers like ${DEFAULT_NETWORK} (the node becomes ${DEFAULT_NETWORK}.2)`,
    );
  const directory = join(stateDirectory(), name);
  return {
    name,
    network,
    registryData: join(directory, "registry"),
    logs: join(directory, "logs"),
    run: join(directory, "run"),
    link: `mh-${name}`,
    cgroup: `/modelhook-${name}`,
  };
}

/** The directory of all that clusters keep: `$XDG_STATE_HOME/modelhook`. */
export function stateDirectory(): string {
  return join(process.env.XDG_STATE_HOME ?? join(homedir(), ".local", "state"), "modelhook");
}

/** The one address of the node: of its API server, its registry and its kubelet, from the host, the node and its pods. */
export function nodeAddress(place: Place): string {
  return `${place.network}.2`;
}

/** Host and port of the registry, the same from everywhere. */
export function registryAddress(place: Place): string {
  return `${nodeAddress(place)}:5000`;
}
