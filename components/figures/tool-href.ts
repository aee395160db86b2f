/** The page of one tool; `search` is its query. */
export const toolHref = (
  tenant: string,
  serverId: string,
  tool: string,
  search: Readonly<Record<string, string>> = {},
): string => {
  const query = new URLSearchParams(search).toString();
  return `/${tenant}/servers/${serverId}/tools/${encodeURIComponent(tool)}${query === "" ? "" : `?${query}`}`;
};
