/** Source: pkg/apis/networking/validation. What a path or a host may be is the same there; backends that are no Service are refused. */
import { isIP } from "node:net";
import type { Ingress, IngressBackend, IngressPath } from "../../../model/ingress.ts";
import { CLASS_ANNOTATION, type IngressClass } from "../../../model/ingress-class.ts";
import { sameJson } from "../../../store/transaction.ts";
import {
  type FieldError,
  immutable,
  invalidValue,
  notAllowed,
  required,
  tooLong,
  tooMany,
  unsupported,
} from "./field-errors.ts";
import { dns1035Label, dnsSubdomain, portName, qualifiedName, wildcardDomain } from "./names.ts";
import { validatePort } from "./probes.ts";

const PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"] as const;
const NOT_IN_PATH = ["//", "/./", "/../", "%2f", "%2F"];
/** Of all hosts together, and hosts of its `tls`: every way in knows each, and a certificate may be ordered for it. */
const MOST_PATHS = 1_000;
const NOT_AT_END = ["/..", "/."];

export function validateIngress({ metadata, spec }: Ingress): readonly FieldError[] {
  const { defaultBackend, rules = [], tls = [], ingressClassName } = spec ?? {};
  const errors: FieldError[] = [];
  const paths = rules.reduce((sum, { http }) => sum + (http?.paths?.length ?? 1), 0);
  if (paths > MOST_PATHS) return [tooMany("spec.rules", paths, MOST_PATHS)];
  const named = tls.reduce((sum, { hosts = [] }) => sum + hosts.length, 0);
  if (named > MOST_PATHS) return [tooMany("spec.tls", named, MOST_PATHS)];
  if (!defaultBackend && rules.length === 0)
    errors.push(invalidValue("spec", [], "either `defaultBackend` or `rules` must be specified"));
  if (defaultBackend) errors.push(...validateBackend(defaultBackend, "spec.defaultBackend"));
  rules.forEach(({ host = "", http }, at) => {
    const path = `spec.rules[${at}]`;
    errors.push(...validateHost(host, `${path}.host`));
    if (http) errors.push(...validatePaths(http.paths, `${path}.http.paths`));
  });
  tls.forEach(({ hosts = [], secretName }, at) => {
    const path = `spec.tls[${at}]`;
    hosts.forEach((host, n) => {
      errors.push(...domain(host).map((why) => invalidValue(`${path}.hosts[${n}]`, host, why)));
    });
    if (secretName)
      errors.push(...dnsSubdomain(secretName).map((why) => invalidValue(`${path}.secretName`, secretName, why)));
  });
  return [...errors, ...validateClassName(metadata.annotations?.[CLASS_ANNOTATION], ingressClassName)];
}

function validateClassName(annotated: string | undefined, named: string | undefined): readonly FieldError[] {
  if (named === undefined) return [];
  const errors = dnsSubdomain(named).map((why) => invalidValue("spec.ingressClassName", named, why));
  if (annotated === undefined || annotated === named) return errors;
  const why = "must match `ingressClassName` when both are specified";
  return [...errors, invalidValue(`metadata.annotations[${CLASS_ANNOTATION}]`, annotated, why)];
}

function validateHost(host: string, path: string): readonly FieldError[] {
  if (host === "") return [];
  if (isIP(host) !== 0) return [invalidValue(path, host, "must be a DNS name, not an IP address")];
  return domain(host).map((why) => invalidValue(path, host, why));
}

function domain(host: string): readonly string[] {
  return host.includes("*") ? wildcardDomain(host) : dnsSubdomain(host);
}

function validatePaths(paths: readonly Partial<IngressPath>[] | undefined, path: string): readonly FieldError[] {
  if (!paths || paths.length === 0) return [required(path)];
  return paths.flatMap((each, at) => [
    ...validatePath(each, `${path}[${at}]`),
    ...validateBackend(each.backend ?? {}, `${path}[${at}].backend`),
  ]);
}

function validatePath({ path = "", pathType }: Partial<IngressPath>, field: string): readonly FieldError[] {
  if (!pathType) return [required(`${field}.pathType`, "pathType must be specified")];
  if (!PATH_TYPES.includes(pathType)) return [unsupported(`${field}.pathType`, pathType, PATH_TYPES)];
  if (pathType === "ImplementationSpecific" && path === "") return [];
  const wrong = (why: string) => invalidValue(`${field}.path`, path, why);
  if (!path.startsWith("/")) return [wrong("must be an absolute path")];
  if (pathType === "ImplementationSpecific") return [];
  return [
    ...NOT_IN_PATH.filter((part) => path.includes(part)).map((part) => wrong(`must not contain '${part}'`)),
    ...NOT_AT_END.filter((part) => path.endsWith(part)).map((part) => wrong(`cannot end with '${part}'`)),
  ];
}

function validateBackend({ service, resource }: Partial<IngressBackend>, path: string): readonly FieldError[] {
  if (service && resource) return [invalidValue(path, "", "cannot set both resource and service backends")];
  if (resource) return [notAllowed(`${path}.resource`, "not supported: only a Service answers here")];
  if (!service) return [invalidValue(path, "", "resource or service backend is required")];
  const { name = "", port: { name: portText = "", number = 0 } = {} } = service;
  const named =
    name === ""
      ? [required(`${path}.service.name`)]
      : dns1035Label(name).map((why) => invalidValue(`${path}.service.name`, name, why));
  return [...named, ...validateServicePort(portText, number, path)];
}

function validateServicePort(name: string, number: number, path: string): readonly FieldError[] {
  if (name !== "" && number !== 0) return [invalidValue(path, "", "cannot set both port name & port number")];
  if (name !== "") return portName(name).map((why) => invalidValue(`${path}.service.port.name`, name, why));
  return number === 0
    ? [required(path, "port name or number is required")]
    : validatePort(number, `${path}.service.port.number`);
}

const LONGEST_CONTROLLER = 250;

export function validateIngressClass({ spec }: IngressClass): readonly FieldError[] {
  const { controller = "" } = spec ?? {};
  if (controller === "") return [required("spec.controller")];
  if (controller.length > LONGEST_CONTROLLER) return [tooLong("spec.controller", LONGEST_CONTROLLER)];
  if (!controller.includes("/"))
    return [invalidValue("spec.controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  return qualifiedName(controller).map((why) => invalidValue("spec.controller", controller, why));
}

export function validateIngressClassUpdate(after: IngressClass, before: IngressClass): readonly FieldError[] {
  return sameJson(after.spec?.controller, before.spec?.controller)
    ? []
    : [immutable("spec.controller", after.spec?.controller)];
}
