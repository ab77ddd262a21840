{# Complaints by the month in which they were opened. #}
with
    tickets as (select * from {{ ref("fct_tickets") }}),

    final as (
        select
            source, {{ month_start("opened_date") }} as month, count(*) as ticket_count
        from tickets
        where kind = 'complaint'
        group by source, {{ month_start("opened_date") }}
    )

select *
from final
