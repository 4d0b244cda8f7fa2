/** How an installed engine is started: by systemd where that runs, else as a child that someone supervises. */
import type { RunCommand } from "./install-engine.ts";

export const SYSTEM_ENGINE_HOST = "unix:///var/run/docker.sock";

/** A daemon to be started and kept by the caller, who must let it outlive the program. */
export interface DaemonCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where it will answer, as DOCKER_HOST wants it. */
  readonly host: string;
}

/** Through systemd, and at every boot from now on. Undefined on success, else systemd's words. */
export async function startThroughSystemd(run: RunCommand): Promise<string | undefined> {
  const { exitCode, output } = await run(["systemctl", "enable", "--now", "docker.service"], () => undefined);
  return exitCode === 0 ? undefined : `systemctl could not start docker.service: ${output.trim()}`;
}

/**
 * The Docker daemon as a plain process. Live-restore: containers go on while the daemon is away. The cgroup driver is the one that needs no
 * systemd. `path`: the value of PATH, to find containerd and iptables.
 */
export function daemonCommand(path: string): DaemonCommand {
  return {
    argv: ["dockerd", "--host", SYSTEM_ENGINE_HOST, "--live-restore", "--exec-opt", "native.cgroupdriver=cgroupfs"],
    env: { PATH: withSbin(path), HOME: "/root" },
    host: SYSTEM_ENGINE_HOST,
  };
}

/** A user's PATH may lack the folders in which dockerd, iptables and modprobe lie. */
function withSbin(path: string): string {
  const folders = path.split(":").filter((folder) => folder !== "");
  const more = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  return [...folders, ...more.filter((folder) => !folders.includes(folder))].join(":");
}
