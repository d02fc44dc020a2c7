/**
 * graphql-yoga as its documentation shows it: `createPubSub`, and graphql-ws beside it.
 *
 * Prints its port and the workflow's id when it is ready. Reads MONGODB_URI and DATABASE.
 */

import { createServer } from "node:http";
import { useServer } from "graphql-ws/use/ws";
import { createPubSub, createSchema, createYoga } from "graphql-yoga";
import { MongoClient, ObjectId } from "mongodb";
import { WebSocketServer } from "ws";

const NODES = Number(process.env.NODES);
const client = await new MongoClient(process.env.MONGODB_URI).connect();
const database = client.db(process.env.DATABASE);
const workflows = database.collection("workflows");
const edits = database.collection("edits");
const pubSub = createPubSub();

const typeDefs = /* GraphQL */ `
  scalar DateTime
  type Position { x: Float! y: Float! }
  interface WorkflowNode { id: String! type: String! position: Position! }
  type DeploymentNode implements WorkflowNode { id: String! type: String! position: Position! }
  type Workflow { id: ID! name: String! revision: Int! }
  interface StreamEvent { seq: Int! }
  type WorkflowSnapshot implements StreamEvent { seq: Int! workflow: Workflow! }
  type WorkflowEdited implements StreamEvent {
    seq: Int!
    at: DateTime!
    revision: Int!
    nodesChanged: [DeploymentNode!]!
    nodesRemoved: [String!]!
    workflow: Workflow!
  }
  union WorkflowChangedEvent = WorkflowSnapshot | WorkflowEdited
  input PositionInput { x: Float! y: Float! }
  input MoveNodeInput { id: String! position: PositionInput! }
  input CanvasOperationInput { moveNode: MoveNodeInput! }
  input EditWorkflowInput { workflowId: ID! expectedRevision: Int! operations: [CanvasOperationInput!]! }
  interface UserError { message: String! }
  type RevisionConflict implements UserError { message: String! }
  type EditWorkflowPayload { workflow: Workflow! }
  union EditWorkflowResult = EditWorkflowPayload | RevisionConflict
  type Query { ok: Boolean! }
  type Mutation { editWorkflow(input: EditWorkflowInput!): EditWorkflowResult! }
  type Subscription { workflowChanged(workflowId: ID!): WorkflowChangedEvent! }
`;

const row = ({ _id, name, revision }) => ({ id: String(_id), name, revision });
const conflict = { __typename: "RevisionConflict", message: "Somebody was faster." };

async function editWorkflow(_, { input }) {
  const _id = new ObjectId(input.workflowId);
  const before = await workflows.findOne({ _id, revision: input.expectedRevision });
  if (!before) return conflict;
  const { id, position } = input.operations[0].moveNode;
  const place = before.nodes.findIndex((node) => node.id === id);
  const node = { ...before.nodes[place], position: { ...position } };
  const workflow = { _id, name: before.name, revision: before.revision + 1 };
  const edit = { workflowId: _id, seq: before.seq + 1, at: new Date(), nodesChanged: [node], workflow };
  const written = await client.withSession((session) =>
    session.withTransaction(async () => {
      const done = await workflows.updateOne(
        { _id, revision: before.revision },
        { $set: { [`nodes.${place}`]: node }, $inc: { revision: 1, seq: 1 } },
        { session },
      );
      if (done.modifiedCount) await edits.insertOne(edit, { session });
      return done.modifiedCount;
    }),
  );
  if (!written) return conflict;
  pubSub.publish("workflow", input.workflowId, edit);
  return { __typename: "EditWorkflowPayload", workflow: row(workflow) };
}

async function* workflowChanged(_, { workflowId }) {
  const events = pubSub.subscribe("workflow", workflowId);
  const workflow = await workflows.findOne({ _id: new ObjectId(workflowId) });
  yield { __typename: "WorkflowSnapshot", seq: workflow.seq, workflow: row(workflow) };
  for await (const edit of events) {
    if (edit.seq <= workflow.seq) continue;
    yield {
      __typename: "WorkflowEdited",
      seq: edit.seq,
      at: edit.at,
      revision: edit.workflow.revision,
      nodesChanged: edit.nodesChanged,
      nodesRemoved: [],
      workflow: row(edit.workflow),
    };
  }
}

const schema = createSchema({
  typeDefs,
  resolvers: {
    Query: { ok: () => true },
    Mutation: { editWorkflow },
    Subscription: { workflowChanged: { subscribe: workflowChanged, resolve: (event) => event } },
  },
});

const yoga = createYoga({ schema, graphiql: false, logging: "error" });
const server = createServer(yoga);
const wsServer = new WebSocketServer({ server, path: yoga.graphqlEndpoint });

useServer(
  {
    execute: (args) => args.rootValue.execute(args),
    subscribe: (args) => args.rootValue.subscribe(args),
    onSubscribe: async (ctx, _id, params) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...ctx,
        req: ctx.extra.request,
        socket: ctx.extra.socket,
        params,
      });
      const args = {
        schema,
        operationName: params.operationName,
        document: parse(params.query),
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      };
      const errors = validate(args.schema, args.document);
      return errors.length ? errors : args;
    },
  },
  wsServer,
);

await database.createCollection("edits");
const nodes = Array.from({ length: NODES }, (_, i) => ({
  id: `n${i}`,
  type: "DEPLOYMENT",
  position: { x: 0, y: 0 },
}));
const { insertedId } = await workflows.insertOne({ name: "bench", revision: 1, seq: 1, nodes });
server.listen({ host: "127.0.0.1", port: 0, backlog: 2048 }, () =>
  console.log(server.address().port, String(insertedId)),
);
