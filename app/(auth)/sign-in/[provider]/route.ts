import { safePath } from "@/lib/auth/safe-path";
import { startSignIn } from "@/lib/auth/start-sign-in";

export const dynamic = "force-dynamic";

type Info = { readonly params: Promise<{ provider: string }> };

export async function GET(request: Request, { params }: Info): Promise<Response> {
  const { provider } = await params;
  return startSignIn(request, provider, safePath(new URL(request.url).searchParams.get("callbackUrl")));
}
