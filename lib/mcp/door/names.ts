import { SEPARATOR } from "@/lib/gateway/list-tools";
import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";

/**
 * On the joint door the address of a resource begins with its server: `files+file:///a`. No slug contains a plus, so the
 * first one is the border, and what stands before the colon is still a scheme.
 */
const URI_BORDER = "+";

export type Place = { readonly server: string; readonly name: string };

/** A name of the joint door, or of the door of one server, as that server knows it. */
export function placeOfName(name: string, only: string | null): Place {
  return split(name, SEPARATOR, only);
}

/** An address likewise. */
export function placeOfUri(uri: string, only: string | null): Place {
  return split(uri, URI_BORDER, only);
}

function split(text: string, border: string, only: string | null): Place {
  if (only !== null) return { server: only, name: text };
  const at = text.indexOf(border);
  return at === -1 ? { server: "", name: text } : { server: text.slice(0, at), name: text.slice(at + border.length) };
}

export const jointName = (server: string, name: unknown): string => `${server}${SEPARATOR}${String(name)}`;
export const jointUri = (server: string, uri: unknown): string => `${server}${URI_BORDER}${String(uri)}`;

/** One listed thing under the name that the joint door gives it. */
export function jointOffer(server: string, item: Json): Json {
  if (typeof item["uriTemplate"] === "string") return { ...item, uriTemplate: jointUri(server, item["uriTemplate"]) };
  if (typeof item["uri"] === "string") return { ...item, uri: jointUri(server, item["uri"]) };
  return { ...item, name: jointName(server, item["name"]) };
}

/** Contents under addresses of the joint door. */
export function jointContents(server: string, result: Json): Json {
  const { contents } = result;
  if (!Array.isArray(contents)) return result;
  return {
    ...result,
    contents: contents.map((each) =>
      isRecord(each) && typeof each["uri"] === "string" ? { ...each, uri: jointUri(server, each["uri"]) } : each,
    ),
  };
}
