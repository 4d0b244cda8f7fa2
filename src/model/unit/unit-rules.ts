/** What each key of [Unit] and [Install] that is acted on does to the settings. */
import { CONDITION_KINDS, type ConditionKind, defaultService, type UnitRelations } from "./service-settings.ts";
import { type SettingRule, scalar } from "./setting-rule.ts";
import { parseInteger, parseTimeSpanMs } from "./values.ts";
import { splitWords } from "./words.ts";

const DEFAULTS = defaultService("");
const A_TIME = "a time such as 30, 5min 20s or infinity";

export const UNIT_RULES: Readonly<Record<string, SettingRule>> = {
  Description(draft, value, place) {
    draft.description = value === "" ? draft.name : place.expand(value);
  },
  Requires: relation("requires"),
  Requisite: relation("requisite"),
  Wants: relation("wants"),
  BindsTo: relation("bindsTo"),
  // Its name before systemd 209.
  BindTo: relation("bindsTo"),
  PartOf: relation("partOf"),
  Conflicts: relation("conflicts"),
  Before: relation("before"),
  After: relation("after"),
  OnFailure: relation("onFailure"),
  OnSuccess: relation("onSuccess"),
  StartLimitIntervalSec: scalar("startLimitIntervalMs", DEFAULTS, parseTimeSpanMs, A_TIME),
  StartLimitInterval: scalar("startLimitIntervalMs", DEFAULTS, parseTimeSpanMs, A_TIME),
  StartLimitBurst: scalar("startLimitBurst", DEFAULTS, parseCount, "a whole number"),
  ...conditionRules("Condition", false),
  ...conditionRules("Assert", true),
};

export const INSTALL_RULES: Readonly<Record<string, SettingRule>> = {
  WantedBy: relation("wantedBy"),
  RequiredBy: relation("requiredBy"),
};

function parseCount(text: string): number | undefined {
  const count = parseInteger(text);
  return count !== undefined && count >= 0 ? count : undefined;
}

function relation(field: keyof UnitRelations): SettingRule {
  return (draft, value, place) => {
    const names = splitWords(value, { unescape: false, relaxed: true }).words.map((name) => place.expand(name));
    for (const name of names.filter((word) => !isUnitName(word)))
      place.warn(`${place.key}=: "${name}" is ignored: it is no unit's name, which ends in .service, .target, …`);
    const before: readonly string[] = value === "" ? [] : draft.relations[field];
    draft.relations = { ...draft.relations, [field]: [...new Set([...before, ...names.filter(isUnitName)])] };
  };
}

function isUnitName(text: string): boolean {
  return /^[0-9A-Za-z:_.\\@-]+\.[a-z]+$/.test(text);
}

function conditionRules(prefix: string, isAssertion: boolean): Record<string, SettingRule> {
  return Object.fromEntries(CONDITION_KINDS.map((kind) => [prefix + kind, condition(kind, isAssertion)]));
}

function condition(kind: ConditionKind, isAssertion: boolean): SettingRule {
  return (draft, value, place) => {
    if (value === "") {
      // systemd: an empty assignment of any kind of condition takes all of them back.
      draft.conditions = draft.conditions.filter((before) => before.isAssertion !== isAssertion);
      return;
    }
    const [, marks = "", rest = ""] = /^([|!]*)\s*(.*)$/s.exec(value) ?? [];
    const checked = place.expand(rest);
    if (kind !== "Host" && !checked.startsWith("/")) {
      place.warn(`${place.key}=${value} is ignored: an absolute path is expected`);
      return;
    }
    const next = { kind, value: checked, negated: marks.includes("!"), isTrigger: marks.includes("|"), isAssertion };
    draft.conditions = [...draft.conditions, next];
  };
}
