{#
  Which customers are compared, over which days: the members who joined in a month with those who never
  did, and a campaign's treated customers with its control arm. Before = (before_date - lift_days,
  before_date], after = (after_date, after_date + lift_days].
#}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    members as (select * from {{ ref("int_programme__members") }}),

    contacts as (
        select *
        from {{ ref("fct_campaign_contacts") }}
        where contacted_date is not null
    ),

    joined as (
        select
            'programme' as kind,
            source,
            programme_key as compared_key,
            enrolled_month as month,
            {{ add_days("enrolled_month", -1) }} as before_date,
            {{ add_days(add_months("enrolled_month", 1), -1) }} as after_date
        from members
        group by source, programme_key, enrolled_month
    ),

    tried as (
        select
            'campaign' as kind,
            source,
            campaign_key as compared_key,
            {{ month_start("min(contacted_date)") }} as month,
            {{ add_days("min(contacted_date)", -1) }} as before_date,
            {{ add_days("min(contacted_date)", -1) }} as after_date
        from contacts
        group by source, campaign_key
        having count(distinct arm) = 2
    ),

    plans as (
        select *
        from joined
        union all
        select *
        from tried
    ),

    final as (
        select
            -- programmes without a name have one key in all shops
            {{
                made_key(
                    [
                        "plans.kind",
                        "plans.source",
                        "plans.compared_key",
                        "plans.month",
                    ]
                )
            }} as comparison_key,
            plans.*,
            {{ add_days("plans.before_date", -var("lift_days")) }} as start_date,
            {{ add_days("plans.after_date", var("lift_days")) }} as end_date,
            case
                when
                    {{ add_days("plans.before_date", 1 - var("lift_days")) }}
                    < as_of.data_start_date
                then 'fewer than {{ var("lift_days") }} days of orders before'
                when {{ add_days("plans.after_date", var("lift_days")) }} > as_of.as_of
                then 'the {{ var("lift_days") }} days after are not over'
            end as reason
        from plans
        cross join as_of
    )

select *
from final
