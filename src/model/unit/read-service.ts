/** A unit's options as systemd 252 understands them. Pure: what only a node knows comes in as facts. */
import type { UnitOption } from "../pod.ts";
import type { ExecCommand } from "./exec-line.ts";
import { joinLines } from "./join-lines.ts";
import { INSTALL_NOT_DONE, type NotDone, SERVICE_NOT_DONE, TYPE_NOT_DONE, UNIT_NOT_DONE } from "./known-keys.ts";
import { serializedLines } from "./serialize-unit.ts";
import { SERVICE_RULES } from "./service-rules.ts";
import { defaultService, type ServiceSettings } from "./service-settings.ts";
import type { ServiceDraft, SettingRule } from "./setting-rule.ts";
import { expandSpecifiers, type HostFacts } from "./specifiers.ts";
import { suggest } from "./suggest.ts";
import { parseUnitName } from "./unit-name.ts";
import { INSTALL_RULES, UNIT_RULES } from "./unit-rules.ts";
import { verifyService } from "./verify-service.ts";

export interface Diagnostic {
  /** Of the given text, or of the canonical text when none was given. 0 when it is about the unit as a whole. */
  readonly line: number;
  /** error: the unit does not load (bad-setting). warning: something is ignored or not done, the rest runs. */
  readonly severity: "warning" | "error";
  /** A whole sentence with name and line in front. */
  readonly message: string;
}

interface Section {
  readonly rules: Readonly<Record<string, SettingRule>>;
  readonly notDone: NotDone;
}

const SECTIONS: Readonly<Record<string, Section>> = {
  Unit: { rules: UNIT_RULES, notDone: UNIT_NOT_DONE },
  Service: { rules: SERVICE_RULES, notDone: SERVICE_NOT_DONE },
  Install: { rules: INSTALL_RULES, notDone: INSTALL_NOT_DONE },
};

const BESIDE_START = ["execCondition", "execStartPre", "execStartPost", "execStop", "execStopPost"] as const;

/** What `+` before the command does. */
function asRoot(command: ExecCommand): ExecCommand {
  return { ...command, privileged: true };
}

const START_BOUNDS: readonly string[] = ["TimeoutStartSec", "TimeoutSec"];

/** `lines` are those of parseUnitFile; without them diagnostics count the lines of the canonical text. */
export function readService(
  options: readonly UnitOption[],
  name: string,
  more: { readonly lines?: readonly number[]; readonly facts?: HostFacts } = {},
): { readonly service: ServiceSettings; readonly diagnostics: readonly Diagnostic[] } {
  const lines = more.lines ?? serializedLines(options);
  const draft: ServiceDraft = { ...defaultService(name) };
  const diagnostics: Diagnostic[] = [];
  const say = (line: number, severity: Diagnostic["severity"], message: string) =>
    diagnostics.push({ line, severity, message: `${name}:${line === 0 ? "" : `${line}:`} ${message}` });
  if (!draft.isExecutable) say(0, "warning", otherType(name));

  const unknownSections = new Set<string>();
  for (const [at, option] of options.entries()) {
    const line = lines[at] ?? 0;
    const section = Object.hasOwn(SECTIONS, option.section) ? SECTIONS[option.section] : undefined;
    if (section) readOption({ draft, section, option, line, say, facts: more.facts ?? {} });
    else if (!isForeign(option.section, name) && !unknownSections.has(option.section)) {
      unknownSections.add(option.section);
      say(line, "warning", unknownSection(option.section));
    }
  }
  if (draft.permissionsStartOnly) for (const list of BESIDE_START) draft[list] = draft[list].map(asRoot);
  // A oneshot's start may take for ever unless the unit says otherwise (systemd service_add_extras).
  const boundsStart = options.some(({ section, name: key }) => section === "Service" && START_BOUNDS.includes(key));
  if (draft.type === "oneshot" && !boundsStart) draft.startTimeoutMs = Number.POSITIVE_INFINITY;
  if (draft.isExecutable) for (const problem of verifyService(draft)) say(problem.line, "error", problem.message);
  for (const note of notes(draft)) say(0, "warning", note);
  if (diagnostics.some(({ severity }) => severity === "error")) draft.load = "bad-setting";
  return { service: draft, diagnostics: diagnostics.toSorted((a, b) => a.line - b.line) };
}

interface OptionReading {
  readonly draft: ServiceDraft;
  readonly section: Section;
  readonly option: UnitOption;
  readonly line: number;
  readonly facts: HostFacts;
  readonly say: (line: number, severity: Diagnostic["severity"], message: string) => void;
}

function readOption({ draft, section, option, line, facts, say }: OptionReading): void {
  const { name: key } = option;
  const rule = Object.hasOwn(section.rules, key) ? section.rules[key] : undefined;
  const { text, leftOver } = joinLines(option.value);
  if (leftOver !== undefined) say(line, "warning", `what follows the doubled backslash is ignored: "${leftOver}"`);
  if (rule) {
    rule(draft, text, {
      key,
      line,
      facts,
      expand: (value) => expandSpecifiers(value, draft.name, facts),
      warn: (message) => say(line, "warning", message),
      refuse: (message) => say(line, "error", message),
    });
    return;
  }
  const notDone = Object.hasOwn(section.notDone, key) ? section.notDone[key] : undefined;
  if (notDone === undefined) {
    if (!key.startsWith("X-")) say(line, "warning", unknownKey(key, option.section, section));
  } else if (notDone !== "" && text !== "") say(line, "warning", `${key}= is accepted but not acted on: ${notDone}`);
}

function keysOf({ rules, notDone }: Section): readonly string[] {
  return [...Object.keys(rules), ...Object.keys(notDone)];
}

function unknownKey(key: string, name: string, section: Section): string {
  const said = `unknown key "${key}" in [${name}] is ignored`;
  const meant = suggest(key, keysOf(section));
  if (meant !== undefined) return `${said}; did you mean "${meant}"?`;
  const home = Object.entries(SECTIONS).find(([, other]) => keysOf(other).includes(key))?.[0];
  return home === undefined ? said : `${said}; it belongs in [${home}]`;
}

function unknownSection(section: string): string {
  const meant = suggest(section, [...Object.keys(SECTIONS), "X-Fleet"]);
  const hint = meant === undefined ? "" : `; did you mean "[${meant}]"?`;
  return `unknown section [${section}] is ignored with all that is in it${hint}`;
}

/** Sections for other programs (`X-…`), and a unit type's own. Names are case-sensitive: [x-fleet] is unknown. */
function isForeign(section: string, name: string): boolean {
  return section.startsWith("X-") || (!name.endsWith(".service") && typeSection(name) === section);
}

function typeSection(name: string): string {
  const { suffix } = parseUnitName(name);
  return suffix.charAt(0).toUpperCase() + suffix.slice(1);
}

function otherType(name: string): string {
  const { suffix } = parseUnitName(name);
  const consequence = Object.hasOwn(TYPE_NOT_DONE, suffix) ? TYPE_NOT_DONE[suffix] : "nothing runs";
  return `a .${suffix} unit is loaded but not executed: ${consequence}`;
}

function notes(draft: ServiceDraft): readonly string[] {
  if (draft.type === "notify" || draft.type === "dbus")
    return [`Type=${draft.type} is treated as Type=simple: it counts as running once it is started, ready or not`];
  return [];
}
