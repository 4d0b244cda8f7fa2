/** What an agent registers: as the model has it, or not at all. A node's object is read by every part of the control plane. */
import { parseQuantity } from "../../lib/quantity.ts";
import { parseSubnet } from "../../lib/subnet.ts";
import { MOST_UNLISTED_NAMED, UNLISTED_KINDS } from "../../model/restoration.ts";
import { condition } from "./check-status.ts";
import { MOST_NAME_CHARS } from "./limits.ts";
import {
  type Check,
  count,
  FrameError,
  flag,
  list,
  moment,
  name,
  oneOf,
  optional,
  place,
  record,
  shaped,
  word,
} from "./shape.ts";

const MOST_PORT = 65_535;
const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

const taint = shaped({ key: name, value: optional(word), effect: oneOf(EFFECTS), timeAdded: optional(moment) });
const driver = shaped({ ready: flag, reason: optional(word), version: optional(word) });
const address = shaped({ type: oneOf(["InternalIP", "ExternalIP", "Hostname"]), address: place });
/** In dual stack, inside and outside, and names. */
const MOST_ADDRESSES = 16;

const unlistedPod = shaped({ key: optional(longName), uid: name, since: optional(moment) });
const unlistedThings = shaped({ kind: oneOf(UNLISTED_KINDS), count, names: few(longName) });
const unlisted = shaped({
  ...{ kept: count, keptPods: few(unlistedPod), waiting: count, waitingPods: few(longName) },
  network: optional(few(unlistedThings)),
});

/** 32 bytes in base64. */
const wireguardKey: Check = (value) => {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(word(value))) throw new FrameError("a key of WireGuard's is none");
};
const network = shaped({
  ...{ wireguardKey: optional(wireguardKey), isWayIn: optional(flag), echoes: optional(flag) },
  wayInPorts: optional(waysIn),
});

/** Throws FrameError. */
export function checkNode(value: unknown): void {
  const { metadata, spec, status } = record(value);
  const { name: own, labels, annotations } = record(metadata);
  name(own);
  for (const texts of [labels, annotations]) if (texts !== undefined) eachOf(texts, word);
  const { taints, podCIDR } = record(spec);
  if (podCIDR !== undefined && podCIDR !== "") range(podCIDR);
  if (taints !== undefined) list(taints).forEach(taint);
  checkNodeStatus(record(status));
}

function checkNodeStatus(status: Readonly<Record<string, unknown>>): void {
  eachOf(status.capacity, quantity);
  eachOf(status.allocatable, quantity);
  list(status.conditions).forEach(condition);
  const addresses = list(status.addresses);
  if (addresses.length > MOST_ADDRESSES) throw new FrameError(`more than ${MOST_ADDRESSES} addresses`);
  addresses.forEach(address);
  const { machineID, ...info } = record(status.nodeInfo);
  name(machineID);
  eachOf(info, word);
  eachOf(status.drivers, driver);
  if (status.unlisted !== undefined) unlisted(status.unlisted);
  if (status.network !== undefined) network(status.network);
  const [first, last, ...more] = list(status.dynamicPorts).map(count);
  if (first === undefined || last === undefined || more.length > 0)
    throw new FrameError("two dynamic ports are missing");
  if (first > last || last > MOST_PORT) throw new FrameError(`dynamic ports from ${first} to ${last}`);
}

/** HTTP's and HTTPS's. */
function waysIn(value: unknown): void {
  const ports = list(value).map(count);
  if (ports.length !== 2 || ports.some((port) => port < 1 || port > MOST_PORT))
    throw new FrameError("two ports are missing");
}

/** Addresses of pods: of a size that a node may have. */
function range(value: unknown): void {
  const subnet = parseSubnet(word(value));
  if (!subnet || subnet.prefixLength < 8 || subnet.prefixLength > 26) throw new FrameError("a pod range that is none");
}

/** `namespace/name`. */
function longName(value: unknown): void {
  if (word(value).length > 2 * MOST_NAME_CHARS) throw new FrameError("a name that is too long");
}

function few(check: Check): Check {
  return (value) => {
    const all = list(value);
    if (all.length > MOST_UNLISTED_NAMED) throw new FrameError(`more than ${MOST_UNLISTED_NAMED} are named`);
    all.forEach(check);
  };
}

function eachOf(value: unknown, check: (value: unknown) => void): void {
  for (const [key, one] of Object.entries(record(value))) {
    name(key);
    check(one);
  }
}

function quantity(value: unknown): void {
  const amount = parseQuantity(word(value));
  if (amount === undefined || amount < 0) throw new FrameError("an amount is missing");
}
