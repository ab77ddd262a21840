select as_of, data_start, cast({{ var("factor") }} as bigint) as factor
from {{ source("raw", "build") }}
