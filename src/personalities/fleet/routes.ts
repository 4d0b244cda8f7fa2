import type { RequestContext, Route } from "../../http/route.ts";
import { ApiError } from "../../model/errors.ts";
import { keyOf, OWNER_INDEX } from "../../model/meta.ts";
import { isNodeHeld, isNodeReady, type Node, nodes } from "../../model/node.ts";
import { pods } from "../../model/pod.ts";
import type { PersonalityContext } from "../personality.ts";
import { inOrderOfWorth } from "./copies.ts";
import { DISCOVERY } from "./discovery.ts";
import { empty, errorResponse, json } from "./errors.ts";
import { type Unit, units } from "./kinds.ts";
import { machineLabels } from "./machine-labels.ts";
import { applyMetadata, parseMetadataPatch } from "./machine-metadata.ts";
import { page } from "./paging.ts";
import { planUnit, putUnit } from "./put-unit.ts";
import { remarksOn } from "./remarks.ts";
import { compact, type MachineOf, renderMachine, renderStates, renderUnit } from "./render.ts";
import { parseUnitBody } from "./unit-body.ts";

/** fleet's clients of 0.10 and before use the second. */
export const PREFIXES = ["/fleet/v1", "/v1-alpha"] as const;
const MOST_WARNINGS = 50;

/** What the API calls itself in the Server header. */
export const FLEET_VERSION = "1.0.0";

export function fleetRoutes(context: PersonalityContext): readonly Route[] {
  return PREFIXES.flatMap((prefix) => routesBelow(prefix, context));
}

function routesBelow(prefix: string, context: PersonalityContext): readonly Route[] {
  const { store } = context;
  const read = (resource: string) => ({ verb: "read", resource }) as const;
  const write = (resource: string) => ({ verb: "write", resource }) as const;
  return [
    {
      method: "GET",
      path: `${prefix}/machines`,
      access: read("machines"),
      handle: (_request, { url }) => listMachines(context, url),
    },
    {
      method: "PATCH",
      path: `${prefix}/machines`,
      // Labels of nodes steer the pods of all dialects.
      access: { ...write("machines"), reach: "whole cluster" },
      handle: (request) => patchMachines(context, request),
    },
    {
      method: "GET",
      path: `${prefix}/units`,
      access: read("units"),
      handle: (_request, { url }) => listUnits(context, url),
    },
    {
      method: "GET",
      path: `${prefix}/units/:name`,
      access: read("units"),
      handle: (_request, { params }) =>
        json(rendered(context, known(store.get(units, params.name ?? ""))), FLEET_VERSION),
    },
    {
      method: "PUT",
      path: `${prefix}/units/:name`,
      access: write("units"),
      handle: (request, at) => putOne(context, request, at),
    },
    {
      method: "DELETE",
      path: `${prefix}/units/:name`,
      access: write("units"),
      handle: (_request, { params }) => deleteOne(context, params.name ?? ""),
    },
    {
      method: "GET",
      path: `${prefix}/state`,
      access: read("units"),
      handle: (_request, { url }) => listStates(context, url),
    },
    {
      method: "GET",
      path: `${prefix}/state/:name`,
      access: read("units"),
      handle: (_request, { params }) => getState(context, params.name ?? ""),
    },
    {
      method: "GET",
      path: `${prefix}/discovery`,
      access: read("discovery"),
      handle: () =>
        new Response(DISCOVERY, { headers: { "Content-Type": "application/json", Server: `fleetd/${FLEET_VERSION}` } }),
    },
  ];
}

function known(unit: Unit | undefined): Unit {
  if (!unit) throw new ApiError("NotFound", "unit does not exist");
  return unit;
}

function listMachines({ store }: PersonalityContext, url: URL): Response {
  const listed = store.list(nodes).filter(isListed);
  const sorted = listed.toSorted((a, b) => (a.status.nodeInfo.machineID < b.status.nodeInfo.machineID ? -1 : 1));
  const { items, nextPageToken } = page(sorted, url.searchParams.get("nextPageToken"));
  const machines = items.map((node) => renderMachine(node, machineLabels(store, node)));
  return json(compact({ machines, nextPageToken }), FLEET_VERSION);
}

async function patchMachines({ store }: PersonalityContext, request: Request): Promise<Response> {
  const changes = parseMetadataPatch(await request.text());
  await store.update((tx) => applyMetadata(tx, changes));
  return empty(204, FLEET_VERSION, { "Content-Type": "application/json" });
}

function listUnits(context: PersonalityContext, url: URL): Response {
  const { items, nextPageToken } = page(context.store.list(units), url.searchParams.get("nextPageToken"));
  return json(compact({ nextPageToken, units: items.map((unit) => rendered(context, unit, true)) }), FLEET_VERSION);
}

function rendered(context: PersonalityContext, unit: Unit, inList = false): object {
  return renderUnit(unit, podsOf(context, unit), machineOf(context), { nowMs: context.clock.now(), inList });
}

/** Of machines that are there: what others say of themselves has expired, as fleet's leases in etcd do. */
function machineOf({ store }: PersonalityContext): MachineOf {
  return (nodeName) => {
    const node = store.get(nodes, nodeName);
    return node && isListed(node) ? node.status.nodeInfo.machineID : undefined;
  };
}

/** A machine that the brake holds keeps its units: not to list it would say that they are gone. */
function isListed(node: Node): boolean {
  return isNodeReady(node) || isNodeHeld(node);
}

/** The pod that stands for the unit comes first. */
function podsOf({ store }: PersonalityContext, unit: Unit) {
  return inOrderOfWorth(store.by(pods, OWNER_INDEX, unit.metadata.uid));
}

/** fleet's answer, and in Warning headers what a person should know (fleetctl does not show them, styr does). */
async function putOne(
  { store, clock }: PersonalityContext,
  request: Request,
  { params, url }: RequestContext,
): Promise<Response> {
  checkContentType(request.headers.get("Content-Type"));
  const body = parseUnitBody(await request.text(), params.name ?? "");
  const { warnings, errors } = remarksOn(body, (name) => store.get(units, name) !== undefined);
  // fleet leaves a broken [Service] to the machine; our own client asks for it to be refused here.
  if (url.searchParams.get("fieldValidation") === "Strict" && errors.length > 0)
    throw new ApiError("BadRequest", errors.join("\n"));
  // As Kubernetes has it: what would the answer be? Nothing is changed.
  const isDryRun = url.searchParams.get("dryRun") === "All";
  const status = isDryRun
    ? planUnit(store.get(units, body.name), body, clock.now()).status
    : await store.update((tx) => putUnit(tx, body));
  const response = empty(status, FLEET_VERSION);
  for (const text of [...errors, ...warnings].slice(0, MOST_WARNINGS))
    response.headers.append("Warning", warningValue(text));
  return response;
}

/** Several headers of one name come as one, joined by commas. */
function checkContentType(header: string | null): void {
  const types = header === null ? [] : (header.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? [""]);
  if (types.length !== 1) throw new ApiError("UnsupportedMediaType", `expected 1 Content-Type, got ${types.length}`);
  if (!/^application\/json\s*(?:;|$)/i.test(types[0] ?? ""))
    throw new ApiError("UnsupportedMediaType", "only acceptable Content-Type is application/json");
}

/** RFC 7234: a quoted string; a header carries printable Latin-1 only. */
function warningValue(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&");
  return `299 - "${plain}"`;
}

async function deleteOne({ store }: PersonalityContext, name: string): Promise<Response> {
  await store.update((tx) => tx.remove(units, keyOf(known(tx.get(units, name)))));
  return empty(204, FLEET_VERSION);
}

function statesOf(context: PersonalityContext, unit: Unit) {
  return renderStates(unit, podsOf(context, unit), machineOf(context));
}

function listStates(context: PersonalityContext, url: URL): Response {
  const [machine, name] = [url.searchParams.get("machineID"), url.searchParams.get("unitName")];
  const candidates = name ? [context.store.get(units, name) ?? []].flat() : context.store.list(units);
  const rows = candidates
    .flatMap((unit) => statesOf(context, unit))
    .filter(({ machineID }) => !machine || machineID === machine);
  const sorted = rows.toSorted((a, b) =>
    a.name === b.name ? (a.machineID < b.machineID ? -1 : 1) : a.name < b.name ? -1 : 1,
  );
  const { items, nextPageToken } = page(sorted, url.searchParams.get("nextPageToken"));
  return json(compact({ nextPageToken, states: items }), FLEET_VERSION);
}

function getState(context: PersonalityContext, name: string): Response {
  const unit = context.store.get(units, name);
  const [state] = unit ? statesOf(context, unit) : [];
  return state ? json(state, FLEET_VERSION) : errorResponse(404, "unit state does not exist", FLEET_VERSION);
}
