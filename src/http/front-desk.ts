/** Everybody comes past here before any handler: who is it, may he, and not too often. */
import { ApiError } from "../model/errors.ts";
import { type Actor, mayAsk } from "./actor.ts";
import type { Connection } from "./connection.ts";
import type { Gate } from "./gate.ts";
import { NotAllowed } from "./not-allowed.ts";
import type { OpenStreams } from "./open-streams.ts";
import type { RequestContext, Route, SocketRoute, Subject } from "./route.ts";

/** Knows the tokens of people and programs. Throws Unauthorized, with words, for one that was good once. */
export interface TokenDesk {
  actorOf(token: string): Actor | undefined;
  /** When a token that is good now is over, in ms since 1970; undefined for one that does not expire. */
  endOf?(token: string): number | undefined;
}

export interface FrontDesk {
  readonly tokens?: TokenDesk;
  readonly gate?: Gate;
  readonly streams?: OpenStreams;
}

/** What is found out about a request on its way, for the log also where it is refused. */
export interface Visit {
  actor?: Actor;
  subject?: Subject;
  /** Gives back the place of a stream that was not opened in the end. */
  release?: () => void;
}

const NOBODY: Actor = { name: "", roles: [] };

/** Denies by default: no actor is 401, an actor without the right is 403. Nothing of a handler runs before this. */
export function admit(
  desk: FrontDesk,
  visit: Visit,
  request: Request,
  connection: Connection,
  route: Route | SocketRoute,
  params: Readonly<Record<string, string>>,
): RequestContext {
  const actor = identify(desk, connection, route.access.verb === "join");
  visit.actor = actor;
  // Nobody is no one person: one who knocks must not keep others from joining.
  if (actor !== NOBODY && !isExempt(connection, actor)) desk.gate?.fromActor(actor);
  if (!mayAsk(actor, route.access, params)) throw new NotAllowed(actor, route.access, params);
  const url = new URL(request.url);
  if (isStream(route, url) && !isMachine(actor)) holdStream(desk, visit, connection, actor);
  const { remoteAddress, origin } = connection;
  const note = (subject: Subject) => {
    visit.subject = { ...visit.subject, ...subject };
  };
  const endStreams = (name: string) => void desk.streams?.cut(name);
  return { actor, params, url, signal: request.signal, origin, remoteAddress, note, endStreams };
}

/** Before anybody looks who it is. */
export function slowDown({ gate }: FrontDesk, connection: Connection): void {
  if (!isExempt(connection, connection.actor)) gate?.fromAddress(connection.remoteAddress);
}

const NOBODYS = "Unauthorized: send a token of this cluster, or a client certificate that its CA signed";
/** By their form it is that of an admin: app/trust/pki-files.ts. */
const NOT_MY_ADMIN =
  "Unauthorized: token of no admin of this server; the one in pki/admin.token is good at the server alone that made it. " +
  "Tokens of users are good at every server: styr user token create NAME";

function identify(desk: FrontDesk, connection: Connection, isJoining: boolean): Actor {
  const { tokens, gate } = desk;
  const { actor, bearer, remoteAddress, refusal } = connection;
  slowDown(desk, connection);
  if (actor) return actor;
  const known = bearer === undefined ? undefined : tokens?.actorOf(bearer);
  if (known) return known;
  if (isJoining) return NOBODY;
  if (bearer !== undefined) gate?.failedToken(remoteAddress);
  if (refusal !== undefined) throw new ApiError("Unauthorized", `Unauthorized: ${refusal}`);
  throw new ApiError("Unauthorized", /^styr-[\w-]+$/.test(bearer ?? "") ? NOT_MY_ADMIN : NOBODYS);
}

/** Root on this machine has to get in when somebody else floods it; machines have limits of their own on their links. */
function isExempt({ isLocal, via }: Connection, actor: Actor | undefined): boolean {
  return isLocal === true || via !== undefined || (actor !== undefined && isMachine(actor));
}

function isMachine({ roles }: Actor): boolean {
  return roles.includes("node") || roles.includes("server");
}

/** Counts it, and makes sure that it does not outlive the rights of a user who asked for it with a token. */
function holdStream({ gate, streams, tokens }: FrontDesk, visit: Visit, connection: Connection, { name }: Actor): void {
  const { onClosed, isLocal, bearer, cut } = connection;
  if (!onClosed || isLocal) return;
  const leave = gate?.openStream(name);
  const forget = bearer !== undefined && cut ? streams?.add(name, cut, tokens?.endOf?.(bearer)) : undefined;
  visit.release = () => {
    leave?.();
    forget?.();
  };
  onClosed(visit.release);
}

/** Whether the answer stays open: `watch` and `follow` are how all dialects ask for that. */
function isStream(route: Route | SocketRoute, { searchParams }: URL): boolean {
  if (!("method" in route) || route.streams) return true;
  return route.method === "GET" && ["watch", "follow"].some((name) => asks(searchParams.get(name)));
}

function asks(value: string | null): boolean {
  return value !== null && value !== "false" && value !== "0";
}
