import { readFile } from "node:fs/promises";
import { run } from "./command.ts";
import { runInside } from "./namespaces.ts";
import { nodeAddress, type Place } from "./place.ts";

/** A link of the host with its addresses, as `ip -j` prints it (the fields read here). */
interface HostLink {
  readonly ifname: string;
  readonly addr_info: readonly { readonly local?: string; readonly prefixlen?: number }[];
}

/** A route of the host, likewise. */
interface HostRoute {
  readonly dst: string;
  readonly dev?: string;
}

/** Throws when the host already uses the cluster's network or the name of its link. */
export async function assertLinkIsFree(place: Place): Promise<void> {
  const links = JSON.parse(await run("ip", ["-j", "address", "show"])) as HostLink[];
  const routes = JSON.parse(
    (await run("ip", ["-j", "-4", "route", "show", "table", "all"])) || "[]",
  ) as HostRoute[];
  if (links.some(({ ifname }) => ifname === place.link))
    throw new Error(
      `a network link ${place.link} is there and does not belong to this cluster: ` +
        `choose another name with --name, or remove it with: ip link delete ${place.link}`,
    );
  const networks = [
    ...links.flatMap(({ ifname, addr_info }) =>
      addr_info.map(({ local, prefixlen }) => ({ by: ifname, network: `${local}/${prefixlen}` })),
    ),
    ...routes.map(({ dst, dev }) => ({ by: dev ?? "a route", network: dst })),
  ];
  const taken = networks.find(({ network }) => overlaps(network, `${place.network}.0/24`));
  if (taken !== undefined)
    throw new Error(
      `the network ${place.network}.0/24 is in use on this machine (${taken.network} by ${taken.by}): ` +
        "choose another with --network, for example --network 10.99.98",
    );
}

/** Connects the host with the node: .1 here, .2 there, and the node's default route leads here. */
export async function makeLink(place: Place, first: number): Promise<void> {
  const { link, network } = place;
  await run("ip", [
    "link",
    "add",
    link,
    "type",
    "veth",
    "peer",
    "name",
    "eth0",
    "netns",
    String(first),
  ]);
  await run("ip", ["link", "set", link, "alias", aliasOf(place)]);
  await run("ip", ["address", "add", `${network}.1/24`, "dev", link]);
  await run("ip", ["link", "set", link, "up"]);
  await runInside(first, ["ip", "address", "add", `${nodeAddress(place)}/24`, "dev", "eth0"]);
  await runInside(first, ["ip", "link", "set", "eth0", "up"]);
  await runInside(first, ["ip", "route", "add", "default", "via", `${network}.1`]);
}

/**
 * Removes the host end of the cluster's link, and with it the other. By itself it would go with the node's network
 * namespace, which lives on for minutes when a TCP connection of a killed program still waits for its end.
 */
export async function removeLink(place: Place): Promise<void> {
  if (!(await hasLink(place))) return;
  await run("ip", ["link", "delete", place.link]).catch(async (error: unknown) => {
    if (await hasLink(place)) throw error;
  });
}

/** Whether there is a link that this cluster made: one of its name that says so. */
export async function hasLink(place: Place): Promise<boolean> {
  const alias = await readFile(`/sys/class/net/${place.link}/ifalias`, "utf8").catch(() => "");
  return alias.trim() === aliasOf(place);
}

function aliasOf(place: Place): string {
  return `modelhook ${place.run}`;
}

/** Whether two IPv4 networks share an address; "default" and words like it overlap with nothing. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [parseNetwork(one), parseNetwork(other)];
  if (a === undefined || b === undefined) return false;
  const shift = 32 - Math.min(a.bits, b.bits);
  return shift < 32 && a.address >>> shift === b.address >>> shift;
}

function parseNetwork(network: string): { address: number; bits: number } | undefined {
  const [, a, b, c, d, bits = "32"] =
    /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(network) ?? [];
  if (a === undefined) return undefined;
  const address = ((Number(a) * 256 + Number(b)) * 256 + Number(c)) * 256 + Number(d);
  return { address, bits: Number(bits) };
}
