/**
 * What annotations of an Ingress are meant for whoever serves it: ingress-nginx, or another controller that it was written for. What one
 * of them would have kept somebody out with is not passed over because its name begins otherwise. Pure.
 */
import { CLASS_ANNOTATION } from "../ingress-class.ts";
import { turnsAway } from "./protection.ts";

export const NGINX = "nginx.ingress.kubernetes.io/";

export interface ControllerAnnotation {
  /** Without whose it is. */
  readonly name: string;
  readonly value: string;
  /** As people know it: ingress-nginx' by their names alone, as there are most of them. */
  readonly words: string;
  readonly isNginx: boolean;
}

/** Domains of controllers, and all below them; so is each that has "ingress" in it (`traefik.ingress.kubernetes.io`). */
const DOMAINS = [
  "haproxy.org haproxy.com nginx.org nginx.com f5.com konghq.com higress.io apisix.apache.org projectcontour.io zalando.org",
  "contour.heptio.com getambassador.io voyager.appscode.com k8s.ngrok.com ako.vmware.com ncp networking.gke.io",
].flatMap((line) => line.split(" "));
/** Of the one before ingress-nginx, and Google's: `kubernetes.io/ingress.allow-http`. */
const OLD = "kubernetes.io/ingress.";

/** Lists of addresses whose name says the same with every controller that has it. */
const RANGES: Readonly<Record<string, "allow" | "deny">> = {
  "whitelist-source-range": "allow",
  "allowlist-source-range": "allow",
  "allow-source-range": "allow",
  "allow-list": "allow",
  whitelist: "allow",
  "inbound-cidrs": "allow",
  "denylist-source-range": "deny",
  "blacklist-source-range": "deny",
  "blocklist-source-range": "deny",
  "deny-list": "deny",
  blacklist: "deny",
};

/**
 * What parts of names begin with that turn somebody away: who he is, where he comes from, how often. What a middleware, a plugin or a
 * filter does is not known here: it may be that.
 */
const PROTECTING = new RegExp(
  `(?:^|[-._])(?:${[
    "auth|oauth|basic-auth|jwt|oidc|openid|saml|mutual|client-ca|satisfy|iap",
    "allow|white|deny|black|block|acl|cidr|inbound|security-group|src-ip|source-range|use-private",
    "limit|ratelimit|waf|modsecurity|owasp|wallarm|app-protect|methods|headers\\.|conditions",
    "middlewares|plugins?(?![a-z])|skipper-|(?<![-._])polic(?:y|ies)$|modules$|tls\\.options|ssl-profile",
  ].join("|")})`,
  "i",
);
/** Which pages of other origins may read an answer, and what ciphers there are, keep nobody out. */
const HARMLESS = /^(?:cors-|enable-cors|ssl-policy$)/;
const PIECE = /snippets?$|^config-/;
/** Values with which nothing is asked of anybody. */
const NOTHING = ["", "false", "off", "none"];
const PUBLIC_ENTRIES = ["web", "websecure", "http", "https"];

/** Sorted by key. */
export function controllerAnnotations(annotations: Readonly<Record<string, string>>): readonly ControllerAnnotation[] {
  const all = Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1));
  return all.flatMap(([key, value]) => {
    const name = nameOf(key);
    if (name === undefined) return [];
    const isNginx = key.startsWith(NGINX);
    return [{ name, value, words: isNginx ? name : key, isNginx }];
  });
}

/** Whether it is a list of who may come in, or of who may not. */
export function rangeKind({ name }: ControllerAnnotation): "allow" | "deny" | undefined {
  return Object.hasOwn(RANGES, name) ? RANGES[name] : undefined;
}

/** Whether somebody would not come in who does where it is not done. */
export function keepsSomebodyOut({ name, value }: ControllerAnnotation): boolean {
  if (PIECE.test(name)) return turnsAway(value);
  if (NOTHING.includes(value.trim().toLowerCase()) || HARMLESS.test(name)) return false;
  // A door for some: Traefik's by its name, a balancer in the cloud by its kind.
  if (/entry-?points$/.test(name)) return value.split(",").some((each) => !PUBLIC_ENTRIES.includes(each.trim()));
  if (name === "scheme") return value === "internal";
  return PROTECTING.test(name);
}

/** Undefined: it is not meant for who serves the Ingress. */
function nameOf(key: string): string | undefined {
  if (key === CLASS_ANNOTATION) return undefined;
  if (key.startsWith(OLD)) return key.slice(OLD.length);
  const at = key.indexOf("/");
  // Kong's old ones have no name beside the domain: `plugins.konghq.com`.
  const [domain, name] = at < 0 ? [key, key] : [key.slice(0, at), key.slice(at + 1)];
  const isControllers = (at >= 0 && domain.includes("ingress")) || DOMAINS.some((each) => isIn(domain, each));
  return isControllers ? name : undefined;
}

function isIn(domain: string, whole: string): boolean {
  return domain === whole || domain.endsWith(`.${whole}`);
}
