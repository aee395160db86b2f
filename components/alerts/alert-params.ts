import { createLoader, parseAsString, parseAsStringLiteral } from "nuqs/server";

export const ALERT_TABS = ["open", "all", "rules", "channels"] as const;

/** The page's address: the tab, the server whose alerts are listed, and the alert that is open in the drawer. */
export const alertParams = {
  tab: parseAsStringLiteral(ALERT_TABS).withDefault("open"),
  server: parseAsString,
  alert: parseAsString,
};

export const loadAlertParams = createLoader(alertParams);
