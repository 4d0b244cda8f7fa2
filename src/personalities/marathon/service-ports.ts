/** Service ports that are left to us (0): unique in the cluster, from [10000, 20000), kept over changes of the app. */
import { ApiError } from "../../model/errors.ts";
import { type AppBody, type AppDefinition, isHostMode } from "./app-definition.ts";

const FIRST = 10_000;
const END = 20_000;

/** All service ports that an app names or was given. */
export function servicePortsOf(app: AppBody): readonly number[] {
  const mapped = app.container?.portMappings?.map(({ servicePort }) => servicePort) ?? [];
  return isHostMode(app) ? (app.portDefinitions ?? []).map(({ port }) => port) : mapped;
}

/** Fills in every 0. `taken`: the service ports of all other apps; `before`: the app as it was, whose ports are used again. */
export function withServicePorts<T extends AppBody>(app: T, taken: ReadonlySet<number>, before?: AppDefinition): T {
  const own = servicePortsOf(app);
  if (!own.includes(0)) return app;
  const used = new Set([...taken, ...own]);
  const reusable = (before ? servicePortsOf(before) : []).filter((port) => isDynamic(port) && !used.has(port));
  const next = () => {
    const port = reusable.shift() ?? firstFree(used);
    used.add(port);
    return port;
  };
  if (isHostMode(app)) {
    const portDefinitions = (app.portDefinitions ?? []).map((one) => (one.port === 0 ? { ...one, port: next() } : one));
    return { ...app, portDefinitions };
  }
  const portMappings = (app.container?.portMappings ?? []).map((one) =>
    one.servicePort === 0 ? { ...one, servicePort: next() } : one,
  );
  return { ...app, container: { ...app.container, portMappings } };
}

function isDynamic(port: number): boolean {
  return port >= FIRST && port < END;
}

function firstFree(used: ReadonlySet<number>): number {
  for (let port = FIRST; port < END; port++) if (!used.has(port)) return port;
  throw new ApiError("ServerError", `no service port is free between ${FIRST} and ${END}`);
}
