package mercato.flink;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.functions.ScalarFunction;

/** SQL function: the instant that an RFC 3339 text with any UTC offset names, NULL if it names none. */
public final class EventInstant extends ScalarFunction {
    /**
     * @param text such as {@code 2026-01-01T10:00:00.25+02:00}
     */
    public @DataTypeHint("TIMESTAMP_LTZ(3)") Instant eval(String text) {
        try {
            return text == null ? null : OffsetDateTime.parse(text.replace(' ', 'T')).toInstant();
        } catch (DateTimeException malformed) {
            return null;
        }
    }
}
