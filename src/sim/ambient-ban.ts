/** While a world runs, time and chance come from it alone: whatever else asks for them throws. */
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import timersPromises from "node:timers/promises";
import { SimFailure } from "./contract.ts";

const RANDOM = [
  ...["randomUUID", "randomBytes", "randomInt", "randomFill", "randomFillSync"],
  ...["generateKey", "generateKeySync", "generateKeyPair", "generateKeyPairSync"],
];

interface Saved {
  readonly target: object;
  readonly name: string;
  readonly had: PropertyDescriptor | undefined;
}

/** Installs the ban; the function returned lifts it. Not nested: one world runs at a time. */
export function banAmbient(told: (failure: SimFailure) => void): () => void {
  const saved: Saved[] = [];
  const refuse = (what: string) => () => {
    const failure = new SimFailure("ambient", `${what} was called; take it from a Clock or a Random`);
    told(failure);
    throw failure;
  };
  const replace = (target: object, name: string, value: unknown) => {
    saved.push({ target, name, had: Object.getOwnPropertyDescriptor(target, name) });
    Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: false });
  };
  for (const name of ["setTimeout", "setInterval", "setImmediate"]) {
    for (const target of [globalThis, timers, timersPromises]) replace(target, name, refuse(name));
  }
  replace(AbortSignal, "timeout", refuse("AbortSignal.timeout"));
  for (const name of ["hrtime", "uptime"]) replace(process, name, refuse(`process.${name}`));
  replace(globalThis, "Date", dateWithoutNow(refuse));
  replace(Math, "random", refuse("Math.random"));
  replace(performance, "now", refuse("performance.now"));
  for (const name of ["mark", "measure"]) replace(performance, name, refuse(`performance.${name}`));
  for (const name of RANDOM) replace(crypto, name, refuse(`crypto.${name}`));
  for (const name of ["randomUUID", "getRandomValues"]) replace(globalThis.crypto, name, refuse(`crypto.${name}`));
  syncBuiltinESMExports();
  return () => {
    for (const { target, name, had } of saved.toReversed()) {
      if (had) Object.defineProperty(target, name, had);
      else Reflect.deleteProperty(target, name);
    }
    syncBuiltinESMExports();
  };
}

/** A Date of a given moment is as good as any; the present one is not. */
function dateWithoutNow(refuse: (what: string) => () => never): unknown {
  const Real = globalThis.Date;
  const noPresent = refuse("new Date()");
  function SimDate(this: unknown, ...args: unknown[]): Date | string {
    if (args.length === 0 || new.target === undefined) return noPresent();
    return Reflect.construct(Real, args, new.target === SimDate ? Real : new.target) as Date;
  }
  SimDate.prototype = Real.prototype;
  return Object.assign(SimDate, { now: refuse("Date.now"), parse: Real.parse, UTC: Real.UTC });
}
