/** The door of agents: GET /styr/v1/agent as a WebSocket, which becomes a link. The same on every server; what it leads to differs. */
import { notFound, renderError } from "../api/errors.ts";
import type { Api, RequestContext, SocketRoute } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { skewProblem } from "../model/version-skew.ts";
import { acceptLink } from "../network/link/socket-link.ts";
import type { Link, LinkListener } from "../seams/link.ts";
import { LinksOfNode } from "./links-of-node.ts";

export const AGENT_PATH = "/styr/v1/agent";
export const AGENT_PROTOCOL = "styrmann-agent.v1";

/** Who dials: as its certificate says, or as a server of the cluster says for it. */
export interface AgentPeer {
  readonly nodeName: string;
  /** Of the agent's program, as it says; a server that passes a link on passes it on, too. */
  readonly version?: string;
  /** The link comes through another server. */
  readonly isRelayed: boolean;
}

export interface AgentApiOptions {
  /** Of this program. */
  readonly version: string;
  /**
   * Asked before the link is accepted: the dispatcher where this server leads, a relay to the leader where not. Throws
   * ApiError to refuse (Unavailable when nobody leads): the agent then tries the next server.
   */
  open(peer: AgentPeer): Promise<(link: Link) => LinkListener> | ((link: Link) => LinkListener);
}

export function agentApi(options: AgentApiOptions): Api {
  const links = new LinksOfNode();
  const route: SocketRoute = {
    path: AGENT_PATH,
    access: { verb: "link", resource: "nodes" },
    here: true,
    protocols: [AGENT_PROTOCOL],
    async open(_request, context) {
      const peer = peerOf(context);
      const problem = peer.isRelayed ? undefined : skewProblem(options.version, peer.version, "agent");
      if (problem !== undefined) throw new ApiError("Conflict", problem, { name: peer.nodeName });
      const take = await links.opening(peer.nodeName, async () => options.open(peer));
      return (socket) => {
        links.add(peer.nodeName, socket);
        acceptLink(socket, take);
      };
    },
  };
  return { name: "styr-agents", prefixes: [AGENT_PATH], routes: [], sockets: [route], renderError, notFound };
}

/** A node speaks for itself alone; a server for the node whose link it passes on. */
function peerOf({ actor, url }: RequestContext): AgentPeer {
  const named = url.searchParams.get("node") ?? undefined;
  const version = url.searchParams.get("version") ?? undefined;
  const isRelayed = actor.roles.includes("server") && named !== undefined;
  if (!isRelayed && !actor.roles.includes("node"))
    throw new ApiError("BadRequest", "a server passes on the link of a node: name it with ?node=NAME");
  if (!isRelayed && named !== undefined && named !== actor.name)
    throw new ApiError("Forbidden", `the certificate is that of node "${actor.name}", not of "${named}"`);
  return { nodeName: isRelayed ? named : actor.name, isRelayed, ...(version === undefined ? {} : { version }) };
}
