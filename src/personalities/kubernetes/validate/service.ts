import type { Service, ServicePort } from "../../../model/service.ts";
import {
  duplicate,
  type FieldError,
  immutable,
  invalidValue,
  notAllowed,
  required,
  unsupported,
} from "./field-errors.ts";
import { validateLabels } from "./metadata.ts";
import { dnsLabel, dnsSubdomain } from "./names.ts";
import { validatePort, validatePortReference } from "./probes.ts";

const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"] as const;
const AFFINITIES = ["ClientIP", "None"] as const;
const PROTOCOLS = ["SCTP", "TCP", "UDP"] as const;

export function validateService({ spec = {} }: Service): readonly FieldError[] {
  const { type = "ClusterIP", clusterIP, sessionAffinity, externalName, ports = [] } = spec;
  const errors: FieldError[] = [];
  if (!TYPES.includes(type)) errors.push(unsupported("spec.type", type, TYPES));
  if (type === "ExternalName") {
    if (clusterIP) errors.push(notAllowed("spec.clusterIPs[0]", "may not be set when `type` is 'ExternalName'"));
    if (!externalName) errors.push(required("spec.externalName"));
    else
      errors.push(
        ...dnsSubdomain(externalName.replace(/\.$/, "")).map((why) =>
          invalidValue("spec.externalName", externalName, why),
        ),
      );
  } else if (ports.length === 0 && clusterIP !== "None") errors.push(required("spec.ports"));
  if (clusterIP === "None" && (type === "NodePort" || type === "LoadBalancer")) {
    errors.push(invalidValue("spec.clusterIPs[0]", clusterIP, `may not be set to 'None' for ${type} services`));
  }
  if (sessionAffinity && !AFFINITIES.includes(sessionAffinity)) {
    errors.push(unsupported("spec.sessionAffinity", sessionAffinity, AFFINITIES));
  }
  return [...errors, ...validateLabels(spec.selector, "spec.selector"), ...validatePorts(ports, type)];
}

function validatePorts(ports: readonly ServicePort[], type: string): readonly FieldError[] {
  const names = new Set<string>();
  const pairs = new Set<string>();
  const nodePorts = new Set<string>();
  return ports.flatMap((port, at) => {
    const field = `spec.ports[${at}]`;
    const { name, protocol = "TCP", nodePort } = port;
    const errors: FieldError[] = [];
    if (!name && ports.length > 1) errors.push(required(`${field}.name`));
    else if (name) {
      errors.push(...dnsLabel(name).map((why) => invalidValue(`${field}.name`, name, why)));
      if (names.has(name)) errors.push(duplicate(`${field}.name`, name));
      names.add(name);
    }
    if (port.port === undefined) errors.push(required(`${field}.port`));
    else errors.push(...validatePort(port.port, `${field}.port`));
    if (!PROTOCOLS.includes(protocol)) errors.push(unsupported(`${field}.protocol`, protocol, PROTOCOLS));
    if (port.targetPort !== undefined) errors.push(...validatePortReference(port.targetPort, `${field}.targetPort`));
    if (nodePort && type !== "NodePort" && type !== "LoadBalancer") {
      errors.push(notAllowed(`${field}.nodePort`, `may not be used when \`type\` is '${type}'`));
    } else if (nodePort) {
      const id = `${protocol}/${nodePort}`;
      if (nodePorts.has(id)) errors.push(duplicate(`${field}.nodePort`, nodePort));
      nodePorts.add(id);
    }
    const pair = `${protocol}/${port.port}`;
    if (pairs.has(pair)) errors.push(duplicate(field, { protocol, port: port.port }));
    pairs.add(pair);
    return errors;
  });
}

/** An address stays with its Service until that no longer wants one. */
export function validateServiceUpdate(after: Service, before: Service): readonly FieldError[] {
  const { clusterIP, type } = after.spec;
  if (type === "ExternalName" || !before.spec.clusterIP || before.spec.type === "ExternalName") return [];
  return clusterIP === before.spec.clusterIP ? [] : [immutable("spec.clusterIP", clusterIP)];
}
