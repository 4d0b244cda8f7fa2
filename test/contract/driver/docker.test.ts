import { canRunEngine } from "../../harness/engine.ts";
import { openDocker } from "./docker-subject.ts";
import { driverContract } from "./driver-contract.ts";

driverContract("docker", openDocker, canRunEngine());
