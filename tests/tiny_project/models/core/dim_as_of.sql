select as_of, data_start, cast({{ var("factor", 1) }} as bigint) as factor
from {{ source("raw", "build") }}
