import { seenFrom } from "@/lib/auth/seen-from";
import { handleMcpRequest } from "@/lib/mcp/door/handle-mcp-request";

export const runtime = "nodejs";
export const dynamic = "force-dynamic";

const serve = (request: Request): Promise<Response> =>
  handleMcpRequest(request, { peerAddress: seenFrom(request.headers).ip });

export { serve as DELETE, serve as GET, serve as OPTIONS, serve as PATCH, serve as POST, serve as PUT };
