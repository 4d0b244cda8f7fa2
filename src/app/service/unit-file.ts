/** The systemd unit that starts styr at boot. */

export interface UnitFileOptions {
  /** What is run at each start: program and arguments. */
  readonly command: readonly string[];
  readonly description: string;
}

/**
 * KillMode=process: only styr itself is stopped; the keeper and the pods' processes are in the same unit's cgroup at first, and
 * live on. What the unit says of limits, pods would inherit, so it says little. Restart=always with no limit: styr takes up what runs, so a start never costs anything. systemd.service(5),
 * systemd.kill(5).
 */
export function unitFile({ command, description }: UnitFileOptions): string {
  return `[Unit]
Description=${description}
Wants=network-online.target
After=network-online.target docker.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${command.map(quoted).join(" ")}
Restart=always
RestartSec=2
KillMode=process
TimeoutStopSec=60
Delegate=yes
TasksMax=infinity

[Install]
WantedBy=multi-user.target
`;
}

/** systemd.syntax(7) and systemd.service(5), "Command lines": % and $ are doubled, quotes and backslashes escaped. */
function quoted(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./$-]+$/.test(escaped)) return escaped;
  return `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
