"use client";
import { parseAsArrayOf, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";

/** The filter of matrix and map, kept in the URL. */
export const useAccessFilter = () =>
  useQueryStates(
    {
      q: parseAsString.withDefault(""),
      server: parseAsString.withDefault(""),
      only: parseAsStringLiteral(["all", "unmapped", "destructive", "changed"] as const).withDefault("all"),
      roles: parseAsArrayOf(parseAsString).withDefault([]),
    },
    { history: "replace", throttleMs: 200 },
  );
export type AccessFilter = ReturnType<typeof useAccessFilter>;
