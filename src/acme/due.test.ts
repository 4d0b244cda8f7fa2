import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kernelKinds } from "../model/kinds.ts";
import { silentLog } from "../seams/log.ts";
import { ManualClock } from "../seams/manual-clock.ts";
import { SeededRandom } from "../seams/random.ts";
import { MemoryJournal } from "../store/journals/memory.ts";
import { Store } from "../store/store.ts";
import { Renewals } from "./due.ts";
import { keepCertificate } from "./kept.ts";

/** Of a.example.org, from 2026-01-01 to 2026-04-01: 90 days (`openssl ca -selfsign -startdate`). */
const WINTER = [
  "MIIBFjCBvgIBATAKBggqhkjOPQQDAjAYMRYwFAYDVQQDDA1hLmV4YW1wbGUub3JnMB4XDTI2MDEwMTAwMDAwMFoXDTI2MDQwMTAw",
  "MDAwMFowGDEWMBQGA1UEAwwNYS5leGFtcGxlLm9yZzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIreugPoE+rlwaQx3+ZrSP5t",
  "l66PVP5E4qzj8lUDohJFX0lP8HMQNwwMGjoKXL2dy5co/r4gkW2cbSwDRTEuTD4wCgYIKoZIzj0EAwIDRwAwRAIgYjdLqQRNaVvh",
  "2nNayvvXChnBu4sA2R8ZRvUne9p6SNsCIHhfuHccyX8T7ZkjLVbjD2UCtT6StbqdiyozwVgWCvBP",
].join("");

/** The same from 2026-03-01 to 2026-05-30. */
const SPRING = [
  "MIIBFzCBvgIBAjAKBggqhkjOPQQDAjAYMRYwFAYDVQQDDA1hLmV4YW1wbGUub3JnMB4XDTI2MDMwMTAwMDAwMFoXDTI2MDUzMDAw",
  "MDAwMFowGDEWMBQGA1UEAwwNYS5leGFtcGxlLm9yZzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIreugPoE+rlwaQx3+ZrSP5t",
  "l66PVP5E4qzj8lUDohJFX0lP8HMQNwwMGjoKXL2dy5co/r4gkW2cbSwDRTEuTD4wCgYIKoZIzj0EAwIDSAAwRQIhAKTMs/4iMFy1",
  "998VfnmmxFdhMo06iqlon8O5i6SmlQhdAiAt4AYrIJifkve+OaDjoSQrNVTY13n63B8O88Cx/3VZig==",
].join("");

const HOST = "a.example.org";
const pem = (der: string) => `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`;

describe("when a certificate is ordered anew", () => {
  async function world() {
    const parts = { clock: new ManualClock(), random: new SeededRandom("due"), log: silentLog };
    const store = await Store.open({ kinds: kernelKinds, journal: new MemoryJournal(), ...parts });
    const keep = (certificate: string) => store.update((tx) => keepCertificate(tx, HOST, { certificate, key: "k" }));
    return { store, keep };
  }
  const day = (atMs: number) => new Date(atMs).toISOString().slice(0, 10);

  test("is when a third of its life is left, of the one that is there now", async () => {
    const [{ store, keep }, renewals] = [await world(), new Renewals()];
    assert.equal(renewals.atMs(store, HOST), 0, "there is none: at once");
    await keep(pem(WINTER));
    assert.equal(day(renewals.atMs(store, HOST)), "2026-03-02");
    await keep(pem(SPRING));
    assert.equal(day(renewals.atMs(store, HOST)), "2026-04-30", "it was renewed");
    await store.close();
  });

  test("is at once, where what is kept cannot be read", async () => {
    const { store, keep } = await world();
    for (const text of ["", "none", pem(WINTER.slice(0, 80))]) {
      await keep(text);
      assert.equal(new Renewals().atMs(store, HOST), 0);
    }
    await store.close();
  });
});
