/** /styr/v1/servers: the control-plane processes of the cluster, who leads, and how far the others have followed. */
import type { Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { nodes } from "../model/node.ts";
import { servers } from "../model/server.ts";
import type { Tx } from "../store/transaction.ts";
import type { StyrApiContext } from "./context.ts";
import { forgetCertificates } from "./join.ts";
import { optionsOf } from "./request-options.ts";
import type { ServerDesk, ServerSign } from "./server-desk.ts";

const PATH = "/styr/v1/servers";

export function serverRoutes({ servers: desk, store }: StyrApiContext): readonly Route[] {
  if (!desk) return [];
  return [
    {
      method: "GET",
      path: PATH,
      access: { verb: "read", resource: "servers", reach: "own part" },
      atLeader: "if any",
      handle: () => Response.json({ servers: desk.rows() }),
    },
    {
      method: "PUT",
      path: `${PATH}/:name`,
      access: { verb: "peer", resource: "servers" },
      async handle(request, { params, actor }) {
        const name = ownName(params.name, actor.name);
        await desk.sign(name, signOf(await optionsOf(request, ["url", "version", "revision"])));
        return new Response(null, { status: 204 });
      },
    },
    {
      method: "POST",
      path: `${PATH}/:name/goodbye`,
      access: { verb: "peer", resource: "servers" },
      handle(_request, { params, actor }) {
        desk.signOff(ownName(params.name, actor.name));
        return new Response(null, { status: 204 });
      },
    },
    {
      method: "DELETE",
      path: `${PATH}/:name`,
      access: { verb: "admin", resource: "servers" },
      async handle(_request, { params, actor }) {
        await store.update((tx) => forgetServer(tx, desk, params.name ?? "", actor.name));
        return new Response(null, { status: 204 });
      },
    },
  ];
}

function ownName(name: string | undefined, actor: string): string {
  if (actor === name) return actor;
  throw new ApiError("Forbidden", `the certificate is that of server "${actor}", not of "${name}"`);
}

function forgetServer(tx: Tx, desk: ServerDesk, name: string, by: string): void {
  if (!tx.get(servers, name)) throw new ApiError("NotFound", `there is no server "${name}"`, { kind: "Server", name });
  if (desk.isHeard(name))
    throw new ApiError(
      "Conflict",
      `server "${name}" runs, or did ten seconds ago, and would register again at once; stop styr there first, or try again then`,
    );
  desk.forget(tx, name);
  const why = `${by} has forgotten the server`;
  forgetCertificates(tx, name, why, "server");
  // Every host joins as a node; of one that ran no agent nobody would take that certificate back.
  if (!tx.get(nodes, name)) forgetCertificates(tx, name, why);
}

function signOf({ url, version, revision }: Readonly<Record<string, unknown>>): ServerSign {
  if (typeof url === "string" && typeof version === "string" && typeof revision === "number")
    return { url, version, revision };
  throw new ApiError("BadRequest", "a server says its url, its version and its revision");
}
