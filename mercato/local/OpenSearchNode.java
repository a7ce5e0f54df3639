import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One OpenSearch node. The runner's own command takes no port above 9299. */
public final class OpenSearchNode {

    private OpenSearchNode() {
    }

    /** Starts the node: folder for its data, folder of its configuration, HTTP port. */
    public static void main(String[] arguments) throws Exception {
        OpenSearchRunner runner = new OpenSearchRunner();
        // Without an upper bound it takes the port that follows the base.
        runner.setMaxHttpPort(-1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(runner)));
        runner.build(new String[] {
            "-basePath", arguments[0],
            "-confPath", arguments[1],
            "-baseHttpPort", String.valueOf(Integer.parseInt(arguments[2]) - 1),
            "-numOfNode", "1",
        });
        Thread.currentThread().join();
    }

    private static void close(OpenSearchRunner runner) {
        try {
            runner.close();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
