/** Containers that a unit or a process of ours started itself (`docker run`): found by label or by name, shown with it. */
import type { ChildContainer } from "../../model/pod.ts";
import type { Engine } from "./engine.ts";
import type { ContainerSummary } from "./engine-facts.ts";
import { LABEL, type Labels } from "./labels.ts";
import { withReason } from "./refusal.ts";

/** A child with what it can be told apart by. */
export interface ListedChild extends ChildContainer {
  readonly labels: Labels;
  /** The value of its `dev.styrmann.unit` label, when it has one. */
  readonly unit?: string;
}

export interface ChildFilter {
  /** Value of the label `dev.styrmann.unit`; absent = every container that carries the label. */
  readonly unit?: string;
  /** Containers with these names count too, whatever their labels (`docker run --name nginx-app`). */
  readonly names?: readonly string[];
  /** Addresses on this Docker network are told. */
  readonly network?: string;
}

/** Running and ended ones, in order of their names. DriverError (temporary) when the engine does not answer. */
export async function listChildren(engine: Engine, filter: ChildFilter = {}): Promise<readonly ListedChild[]> {
  const label = filter.unit === undefined ? LABEL.unit : `${LABEL.unit}=${filter.unit}`;
  const lists = [listBy(engine, { label: [label] })];
  // Docker matches names as regular expressions within "/name".
  const names = (filter.names ?? []).map((name) => `^/${name.replace(/[^a-zA-Z0-9_-]/g, "\\$&")}$`);
  if (names.length > 0) lists.push(listBy(engine, { name: names }));
  const found = new Map(
    (await Promise.all(lists)).flat().map((summary) => [summary.Id, childOf(summary, filter.network)]),
  );
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function listBy(engine: Engine, filters: object): Promise<ContainerSummary[]> {
  const query = { all: true, filters: JSON.stringify(filters) };
  return withReason("ListError", () => engine.call({ method: "GET", path: "/containers/json", query }));
}

/** `-p 127.0.0.1:7010:80`: nobody else gets there, and who is told of it would be refused. */
const OF_THE_HOST_ALONE = /^(?:127\.|::1$)/;

function childOf(summary: ContainerSummary, network = ""): ListedChild {
  const { Id, Names, Image, State, Ports, Labels, NetworkSettings } = summary;
  const address = NetworkSettings?.Networks?.[network]?.IPAddress || undefined;
  const ports = (Ports ?? []).flatMap(({ IP = "", PrivatePort, PublicPort, Type }) =>
    PublicPort === undefined || OF_THE_HOST_ALONE.test(IP)
      ? []
      : [{ containerPort: PrivatePort, hostPort: PublicPort, protocol: Type }],
  );
  const unit = Labels?.[LABEL.unit];
  return {
    id: Id,
    name: (Names?.[0] ?? Id).replace(/^\//, ""),
    image: Image,
    state: State,
    // The engine lists a port once per address family.
    ...(ports.length === 0 ? {} : { ports: [...new Map(ports.map((port) => [JSON.stringify(port), port])).values()] }),
    ...(address === undefined ? {} : { address }),
    labels: Labels ?? {},
    ...(unit === undefined ? {} : { unit }),
  };
}
