package mercato.flink;

import com.amazonaws.services.kinesisanalytics.runtime.KinesisAnalyticsRuntime;
import java.io.IOException;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;

/**
 * Runs one SQL script of this jar as one Flink job.
 *
 * <p>Parallelism, checkpoints and restarts are the deployment's: Managed Service for Apache Flink
 * refuses a program that sets them.
 */
public final class SqlJob {
    static final String PROPERTY_GROUP = "mercato";
    private static final String SCRIPT = "/sessions.sql";

    private SqlJob() {}

    /**
     * @param args nothing on AWS, where the service hands over the runtime properties; elsewhere the
     *     path of a JSON file in the service's format
     */
    public static void main(String[] args) throws IOException {
        Script script = Script.read(SCRIPT, properties(args));
        StreamExecutionEnvironment flink = StreamExecutionEnvironment.getExecutionEnvironment();
        StreamTableEnvironment tables = StreamTableEnvironment.create(flink);
        tables.getConfig().setLocalTimeZone(ZoneOffset.UTC);
        script.definitions().forEach(tables::executeSql);
        // As one set the inserts are one job, which reads a common source once.
        StatementSet inserts = tables.createStatementSet();
        script.inserts().forEach(inserts::addInsertSql);
        inserts.execute();
    }

    private static Properties properties(String[] args) throws IOException {
        Map<String, Properties> groups =
                args.length == 0
                        ? KinesisAnalyticsRuntime.getApplicationProperties()
                        : KinesisAnalyticsRuntime.getApplicationProperties(args[0]);
        Properties found = groups.get(PROPERTY_GROUP);
        if (found == null) {
            throw new IllegalArgumentException(
                    "No runtime property group '%s'; there are %s."
                            .formatted(PROPERTY_GROUP, groups.keySet()));
        }
        return found;
    }
}
