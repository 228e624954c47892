import { createHash } from "node:crypto";

/** Longest value of a label, and of names that are also labels (RFC 1123 label). */
const MAX_LABEL = 63;

/** What an RFC 1123 label looks like; its length aside. */
export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** What an RFC 1123 subdomain looks like; its length aside. */
export const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** RFC 1123 label: lower case letters, digits and `-`, at most 63 characters. */
export function isDnsLabel(text: string): boolean {
  return text.length <= MAX_LABEL && DNS_LABEL.test(text);
}

/** RFC 1123 subdomain: labels joined by dots, at most 253 characters; the names of most objects. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && DNS_SUBDOMAIN.test(text);
}

const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** A label's value: empty, or at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit. */
export function isLabelValue(text: string): boolean {
  return text === "" || (text.length <= MAX_LABEL && LABEL_NAME.test(text));
}

/** A label's key: a name as a value's, after an optional prefix, which is an RFC 1123 subdomain, and a slash. */
export function isLabelKey(text: string): boolean {
  const [name = "", prefix, ...more] = text.split("/").toReversed();
  const isPrefixed = prefix === undefined || isDnsSubdomain(prefix);
  return more.length === 0 && isPrefixed && name !== "" && isLabelValue(name);
}

/** First `length` hex digits of the SHA-256 over the parts; the lengths go in, so ("ab","c") and ("a","bc") differ. */
export function hashOf(parts: readonly string[], length: number): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:${part}`);
  return hash.digest("hex").slice(0, length);
}

/** Hex digits of a UID without its dashes. */
export function hexOfUid(uid: string, length: number): string {
  return uid.replaceAll("-", "").slice(0, length);
}

/** Name of the claim that a job's pods mount; known at admission, before a pod has a UID or a generated name. */
export function trainingClaimName(namespace: string, ownerUid: string, location: string): string {
  return `mh-${hashOf([namespace, ownerUid, location], 16)}`;
}

/** Name of the volume and claim that a build reads; the same for every attempt. */
export function buildVolumeName(versionUid: string): string {
  return `mh-${hexOfUid(versionUid, 16)}`;
}

/** Name of the Job that makes one attempt at a build; attempts count from 1. */
export function buildJobName(versionUid: string, attempt: number): string {
  return `mh-build-${hexOfUid(versionUid, 12)}-${attempt}`;
}

/** Name of the Job that asks, while an exporting job trains, whether its image could be pushed. */
export function preflightJobName(ownerUid: string): string {
  return `mh-preflight-${hexOfUid(ownerUid, 16)}`;
}

/** Names a successful job's ModelVersion may take, best first: 5, 10, then 32 hex digits of the job's UID. */
export function exportedVersionNames(modelName: string, ownerUid: string): readonly string[] {
  return [5, 10, 32].map((length) => `${modelName}-${hexOfUid(ownerUid, length)}`);
}

/** The image tag of a version that names none: `v` and 8 hex digits of its UID. */
export function defaultImageTag(versionUid: string): string {
  return `v${hexOfUid(versionUid, 8)}`;
}
