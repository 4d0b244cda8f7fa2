import type { ServiceSettings } from "./service-settings.ts";
import type { HostFacts } from "./specifiers.ts";
import { suggest } from "./suggest.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type ServiceDraft = Mutable<ServiceSettings>;

/** Where a value stands, and who hears what is wrong with it. */
export interface SettingPlace {
  readonly key: string;
  readonly line: number;
  readonly facts: HostFacts;
  expand(text: string): string;
  /** It is ignored, as systemd ignores it; the unit loads. */
  warn(message: string): void;
  /** The unit does not load. */
  refuse(message: string): void;
}

/** Puts one assignment into the draft. `value` has its continuations joined and no space around it. */
export type SettingRule = (draft: ServiceDraft, value: string, place: SettingPlace) => void;

/** The keys of a draft whose values may be of type T. */
type KeyOf<T> = {
  [K in keyof ServiceDraft]-?: T extends Exclude<ServiceDraft[K], undefined> ? K : never;
}[keyof ServiceDraft];

/** A setting with one value. An empty value puts the default back; one that cannot be read is ignored. */
export function scalar<T>(
  field: KeyOf<T>,
  defaults: ServiceSettings,
  parse: (text: string) => T | undefined,
  expected: string,
): SettingRule {
  return (draft, value, place) => {
    const target = draft as unknown as Record<string, unknown>;
    if (value === "") {
      target[field] = defaults[field as keyof ServiceSettings];
      return;
    }
    const parsed = parse(place.expand(value));
    if (parsed === undefined) place.warn(`${place.key}=${value} is ignored: ${expected} is expected`);
    else target[field] = parsed;
  };
}

/** One of a closed list of words, in exactly this case. */
export function choice<T extends string>(
  field: KeyOf<T>,
  defaults: ServiceSettings,
  choices: readonly T[],
): SettingRule {
  return (draft, value, place) => {
    const target = draft as unknown as Record<string, unknown>;
    const found = value === "" ? undefined : choices.find((word) => word === value);
    if (value === "") target[field] = defaults[field as keyof ServiceSettings];
    else if (found !== undefined) target[field] = found;
    else {
      const meant = suggest(value, choices);
      const hint = meant === undefined ? `it is one of ${choices.join(", ")}` : `did you mean "${meant}"?`;
      place.warn(`${place.key}=${value} is ignored: there is no such value; ${hint}`);
    }
  };
}
