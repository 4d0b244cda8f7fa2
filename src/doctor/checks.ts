/** Every check of a host, in the order they are shown. A new one is one file and one line. */
import type { Check } from "./check.ts";
import { cgroups } from "./checks/cgroups.ts";
import { diskSpace } from "./checks/disk-space.ts";
import { iptables } from "./checks/iptables.ts";
import { memory } from "./checks/memory.ts";
import { nodeVersion } from "./checks/node-version.ts";
import { overlay } from "./checks/overlay.ts";
import { platform } from "./checks/platform.ts";
import { root } from "./checks/root.ts";

export const checks: readonly Check[] = [platform, nodeVersion, root, cgroups, overlay, iptables, diskSpace, memory];
