package mercato.flink;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The statements of a SQL script: what to define first, and the inserts that make the job.
 *
 * <p>Statements end with a semicolon at the end of a line, comments have lines of their own, and
 * {@code ${name}} or {@code ${name:default}} inside a quoted string stands for a property.
 */
record Script(List<String> definitions, List<String> inserts) {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([a-z.]+)(?::([^}]*))?}");
    private static final Pattern COMMENT = Pattern.compile("(?m)^\\s*--.*$");
    private static final Pattern END = Pattern.compile(";\\s*(?:\\n|$)");

    static Script read(String resource, Properties properties) throws IOException {
        try (InputStream stream = Script.class.getResourceAsStream(resource)) {
            if (stream == null) {
                throw new IllegalArgumentException("This jar has no " + resource + ".");
            }
            return parse(new String(stream.readAllBytes(), StandardCharsets.UTF_8), properties);
        }
    }

    static Script parse(String text, Properties properties) {
        String code = COMMENT.matcher(text).replaceAll("");
        List<String> statements =
                END.splitAsStream(filled(code, properties))
                        .map(String::strip)
                        .filter(statement -> !statement.isEmpty())
                        .toList();
        return new Script(
                statements.stream().filter(statement -> !isInsert(statement)).toList(),
                statements.stream().filter(Script::isInsert).toList());
    }

    private static boolean isInsert(String statement) {
        return statement.startsWith("INSERT ");
    }

    private static String filled(String text, Properties properties) {
        return PLACEHOLDER.matcher(text).replaceAll(found -> {
            String value = properties.getProperty(found.group(1), found.group(2));
            if (value == null) {
                throw new IllegalArgumentException(
                        "The runtime property group '%s' lacks '%s'."
                                .formatted(SqlJob.PROPERTY_GROUP, found.group(1)));
            }
            return Matcher.quoteReplacement(value.replace("'", "''"));
        });
    }
}
