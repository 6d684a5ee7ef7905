// The same work as MPC-API's cached path, the way Express servers do it: check the key, parse the JSON, make the
// cache key, get from Redis, answer with JSON. One process, no log, nothing that Express can leave out.
import { createHash, timingSafeEqual } from "node:crypto";
import express from "express";
import { Redis } from "ioredis";

const digest = (text) => createHash("sha256").update(text).digest();
const redis = new Redis(process.env.REDIS_URL, { enableAutoPipelining: true });
const accepted = digest(process.env.MPC_API_KEY);
const defaults = { language: "en", duration: 60, format: "short", keyPoints: [] };

const refuse = (res, status, code, message) =>
  res.status(status).json({
    error: { code, message, statusCode: status, timestamp: new Date().toISOString(), details: {} },
  });

const app = express();
app.disable("x-powered-by");
app.disable("etag");

app.post(
  "/generate/script",
  (req, res, next) => {
    const [scheme, key] = (req.headers.authorization ?? "").split(" ");
    if (scheme !== "Bearer" || !timingSafeEqual(digest(key ?? ""), accepted)) {
      return refuse(res, 401, "UNAUTHORIZED", "This key is not accepted");
    }
    return next();
  },
  express.json({ limit: "1mb" }),
  async (req, res) => {
    if (typeof req.body?.topic !== "string") {
      return refuse(res, 422, "VALIDATION_ERROR", "Some fields are not valid");
    }
    const begun = performance.now();
    const wanted = { ...defaults, ...req.body, topic: req.body.topic.trim() };
    const name = "express:" + digest(JSON.stringify(["script", "mpc-script", "1", wanted])).toString("hex");
    const kept = await redis.get(name);
    if (kept === null) {
      return refuse(res, 503, "SERVICE_UNAVAILABLE", "Nothing is kept: " + name);
    }
    const data = JSON.parse(kept);
    data.usage.cached = true;
    data.usage.milliseconds = Math.round(performance.now() - begun);
    return res.json({ success: true, message: "Script generated", data, timestamp: new Date().toISOString() });
  },
);

// Keeps what the benchmark gives it, under the name that the request above has.
app.put("/keep", express.json({ limit: "1mb" }), async (req, res) => {
  const wanted = { ...defaults, ...req.body.wanted };
  const name = "express:" + digest(JSON.stringify(["script", "mpc-script", "1", wanted])).toString("hex");
  await redis.set(name, JSON.stringify(req.body.data), "EX", 3600);
  res.json({ kept: name });
});

const server = app.listen(Number(process.env.PORT), "127.0.0.1", () => {
  console.log(JSON.stringify({ event: "started", port: server.address().port }));
});
server.keepAliveTimeout = 75_000;
