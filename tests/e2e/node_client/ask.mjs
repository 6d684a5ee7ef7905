// Asks the gateway through OpenAI's own client; OPENAI_BASE_URL and OPENAI_API_KEY say where and as whom.
import OpenAI from "openai";

const model = process.argv[2];
const client = new OpenAI({ maxRetries: 0 });
const messages = [{ role: "user", content: "hello" }];

const answer = await client.chat.completions.create({ model, messages });
const stream = await client.chat.completions.create({ model, messages, stream: true });
let streamed = "";
for await (const chunk of stream) streamed += chunk.choices[0]?.delta?.content ?? "";
const models = await client.models.list();
let refused = null;
try {
  await client.chat.completions.create({ model: "no-such-model", messages });
} catch (error) {
  refused = error.status;
}
const said = answer.choices[0].message.content;
const total = answer.usage.total_tokens;
console.log(JSON.stringify({ said, streamed, total, models: models.data.map((one) => one.id), refused }));
