/** Source: pkg/apis/networking/validation, ValidateNetworkPolicySpec. */
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../../../model/network-policy.ts";
import { isStrictlyWithin, parseCidr } from "./addresses.ts";
import { type FieldError, invalidValue, notAllowed, required, unsupported } from "./field-errors.ts";
import { portName } from "./names.ts";
import { validateSelector } from "./placement.ts";
import { validatePort } from "./probes.ts";

const TYPES = ["Egress", "Ingress"] as const;
const PROTOCOLS = ["SCTP", "TCP", "UDP"] as const;

/** Ingress is always meant; Egress when there are rules for it. */
export function defaultNetworkPolicy(policy: NetworkPolicy): NetworkPolicy {
  const { podSelector, policyTypes = [], ingress, egress, ...rest } = policy.spec ?? {};
  const types = policyTypes.length > 0 ? policyTypes : (["Ingress", ...(egress?.length ? ["Egress"] : [])] as const);
  const withProtocol = (ports: readonly NetworkPolicyPort[] | undefined) =>
    ports === undefined ? {} : { ports: ports.map((port) => ({ ...port, protocol: port.protocol || "TCP" })) };
  return {
    ...policy,
    spec: {
      ...rest,
      podSelector: podSelector ?? {},
      ...(ingress ? { ingress: ingress.map((rule) => ({ ...rule, ...withProtocol(rule.ports) })) } : {}),
      ...(egress ? { egress: egress.map((rule) => ({ ...rule, ...withProtocol(rule.ports) })) } : {}),
      policyTypes: types as NonNullable<NetworkPolicy["spec"]["policyTypes"]>,
    },
  };
}

export function validateNetworkPolicy({ spec }: NetworkPolicy): readonly FieldError[] {
  const { podSelector, policyTypes = [], ingress = [], egress = [] } = spec;
  return [
    ...validateSelector(podSelector, "spec.podSelector"),
    ...ingress.flatMap(({ ports, from }, at) => validateRule(ports, from, `spec.ingress[${at}]`, "from")),
    ...egress.flatMap(({ ports, to }, at) => validateRule(ports, to, `spec.egress[${at}]`, "to")),
    ...(policyTypes.length > TYPES.length
      ? [invalidValue("spec.policyTypes", policyTypes, "may not specify more than two policyTypes")]
      : policyTypes.flatMap((type, at) =>
          TYPES.includes(type) ? [] : [unsupported(`spec.policyTypes[${at}]`, type, TYPES)],
        )),
  ];
}

function validateRule(
  ports: readonly NetworkPolicyPort[] | undefined,
  peers: readonly NetworkPolicyPeer[] | undefined,
  path: string,
  side: "from" | "to",
): readonly FieldError[] {
  return [
    ...(ports ?? []).flatMap((port, at) => validatePolicyPort(port, `${path}.ports[${at}]`)),
    ...(peers ?? []).flatMap((peer, at) => validatePeer(peer, `${path}.${side}[${at}]`)),
  ];
}

function validatePolicyPort(
  { protocol = "TCP", port, endPort }: NetworkPolicyPort,
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (!PROTOCOLS.includes(protocol)) errors.push(unsupported(`${path}.protocol`, protocol, PROTOCOLS));
  if (typeof port === "number") errors.push(...validatePort(port, `${path}.port`));
  else if (port !== undefined) errors.push(...portName(port).map((why) => invalidValue(`${path}.port`, port, why)));
  return [...errors, ...validateEndPort(port, endPort, `${path}.endPort`)];
}

function validateEndPort(
  port: NetworkPolicyPort["port"],
  endPort: number | undefined,
  path: string,
): readonly FieldError[] {
  if (endPort === undefined) return [];
  const wrong = (why: string) => [invalidValue(path, endPort, why)];
  if (port === undefined) return wrong("may not be specified when `port` is not specified");
  if (typeof port !== "number") return wrong("may not be specified when `port` is non-numeric");
  if (endPort < port) return wrong("must be greater than or equal to `port`");
  return validatePort(endPort, path);
}

function validatePeer(
  { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer,
  path: string,
): readonly FieldError[] {
  if (!podSelector && !namespaceSelector && !ipBlock) return [required(path, "must specify a peer")];
  if (ipBlock && (podSelector || namespaceSelector))
    return [notAllowed(path, "may not specify both ipBlock and another peer")];
  return [
    ...validateSelector(podSelector, `${path}.podSelector`),
    ...validateSelector(namespaceSelector, `${path}.namespaceSelector`),
    ...(ipBlock ? validateIpBlock(ipBlock, `${path}.ipBlock`) : []),
  ];
}

const NO_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

function validateIpBlock(
  { cidr, except = [] }: NonNullable<NetworkPolicyPeer["ipBlock"]>,
  path: string,
): readonly FieldError[] {
  if (!cidr) return [required(`${path}.cidr`)];
  const range = parseCidr(cidr);
  if (!range) return [invalidValue(`${path}.cidr`, cidr, NO_CIDR)];
  return except.flatMap((text, at) => {
    const inner = parseCidr(text);
    const why = !inner ? NO_CIDR : isStrictlyWithin(inner, range) ? undefined : "must be a strict subset of `cidr`";
    return why === undefined ? [] : [invalidValue(`${path}.except[${at}]`, text, why)];
  });
}
