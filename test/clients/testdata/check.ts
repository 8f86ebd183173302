// What the scenarios in TypeScript share: where the server is, and check.
import { readFileSync } from "node:fs";

const named = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};
export const url = named("PALATE_URL");
export const profile = named("PALATE_PROFILE");
export const picture = readFileSync(named("PALATE_PICTURE"));
export const nothing = "00000000-0000-8000-8000-000000000000";

export function check(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error("does not hold: " + what);
}
export const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
export const isJPEG = (bytes: Uint8Array) => bytes.length > 100 && bytes[0] === 0xff && bytes[1] === 0xd8;
