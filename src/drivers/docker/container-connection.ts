import type { ByteStream } from "../../model/streams.ts";
import { DriverError } from "../driver.ts";
import { connectTcp } from "../tcp-stream.ts";
import type { Engine } from "./engine.ts";
import type { ContainerDetails } from "./engine-facts.ts";
import { observedOf } from "./observe.ts";

/** Through the host's bridge; of a container in the host's network through its loopback. */
export async function connectToContainer(engine: Engine, details: ContainerDetails, port: number): Promise<ByteStream> {
  if (engine.address.socketPath === undefined)
    throw new DriverError("the engine is on another host, and its containers' addresses are, too", {
      ...{ temporary: false, reason: "ConnectError" },
    });
  if (details.HostConfig?.NetworkMode === "host") return connectTcp("127.0.0.1", port);
  const address = observedOf(details)?.address;
  if (address !== undefined) return connectTcp(address, port);
  throw new DriverError("the container has no address", { temporary: false, reason: "ConnectError" });
}
